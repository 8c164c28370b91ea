{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

with snapshots as (
    {{ directory_snapshots('channel') }}
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    id as channel_id,
    name as channel_name,
    type as channel_type,
    deleted_at is not null as is_deleted,
    deleted_at,
    is_listed
from snapshots
