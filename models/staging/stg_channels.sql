{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

with landed as (
    select
        batch_id,
        file_id,
        source_line,
        workspace_folder as workspace_id,
        {{ trimmed('channel_id') }} as channel_id,
        {{ trimmed('channel_name') }} as channel_name,
        {{ trimmed('channel_type') }} as channel_type,
        {{ trimmed('deleted_at') }} is not null as is_deleted
    from {{ source('raw', 'channels') }}
    where batch_id > {{ last_built_batch() }} and parse_error is null
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    {{ id_text('channel_id') }} as channel_id,
    channel_name,
    channel_type,
    is_deleted
from landed
where channel_id is not null
