{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

with snapshots as (
    select
        batch_id,
        file_id,
        source_line,
        workspace_folder as workspace_id,
        {{ trimmed('channel_id') }} as channel_id,
        {{ trimmed('channel_name') }} as channel_name,
        {{ trimmed('channel_type') }} as channel_type,
        {{ trimmed('deleted_at') }} as deleted_at
    from {{ source('raw', 'channels') }}
    where batch_id > {{ last_built_batch() }} and parse_error is null
),

api_channels as (
    select
        batch_id,
        file_id,
        source_line,
        workspace_folder as workspace_id,
        {{ id_text('channel_id') }} as channel_id,
        {{ trimmed('channel_name') }} as channel_name,
        {{ trimmed('channel_type') }} as channel_type
    from {{ source('raw', 'api_channels') }}
    where parse_error is null
),

disappeared as (
    {{ disappeared_from_listing('api_channels', 'api_channels', 'channel_id') }}
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    {{ id_text('channel_id') }} as channel_id,
    channel_name,
    channel_type,
    deleted_at is not null as is_deleted,
    {{ instant_with_offset('deleted_at') }} as deleted_at
from snapshots
where channel_id is not null
union all
select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    channel_id,
    channel_name,
    channel_type,
    false as is_deleted,
    cast(null as timestamptz) as deleted_at
from api_channels
where channel_id is not null and batch_id > {{ last_built_batch() }}
union all
select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    channel_id,
    channel_name,
    channel_type,
    true as is_deleted,
    noticed_at as deleted_at
from disappeared
