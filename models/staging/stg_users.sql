{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

with landed as (
    select
        batch_id,
        file_id,
        source_line,
        workspace_folder as workspace_id,
        {{ trimmed('user_id') }} as user_id,
        {{ trimmed('user_name') }} as user_name,
        {{ trimmed('deleted_at') }} is not null as is_deleted
    from {{ source('raw', 'users') }}
    where batch_id > {{ last_built_batch() }} and parse_error is null
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    {{ id_text('user_id') }} as user_id,
    user_name,
    is_deleted
from landed
where user_id is not null
