{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

with snapshots as (
    {{ directory_snapshots('user') }}
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    id as user_id,
    name as user_name,
    deleted_at is not null as is_deleted,
    deleted_at,
    is_listed
from snapshots
