{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

with snapshots as (
    select
        batch_id,
        file_id,
        source_line,
        workspace_folder as workspace_id,
        {{ trimmed('user_id') }} as user_id,
        {{ trimmed('user_name') }} as user_name,
        {{ trimmed('deleted_at') }} as deleted_at
    from {{ source('raw', 'users') }}
    where batch_id > {{ last_built_batch() }} and parse_error is null
),

api_users as (
    select
        batch_id,
        file_id,
        source_line,
        workspace_folder as workspace_id,
        {{ id_text('user_id') }} as user_id,
        coalesce({{ full_name('first_name', 'last_name') }}, {{ trimmed('email') }}) as user_name
    from {{ source('raw', 'api_users') }}
    where parse_error is null
),

disappeared as (
    {{ disappeared_from_listing('api_users', 'api_users', 'user_id') }}
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    {{ id_text('user_id') }} as user_id,
    user_name,
    deleted_at is not null as is_deleted,
    {{ instant_with_offset('deleted_at') }} as deleted_at
from snapshots
where user_id is not null
union all
select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    user_id,
    user_name,
    false as is_deleted,
    cast(null as timestamptz) as deleted_at
from api_users
where user_id is not null and batch_id > {{ last_built_batch() }}
union all
select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    user_id,
    user_name,
    true as is_deleted,
    noticed_at as deleted_at
from disappeared
