{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

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
