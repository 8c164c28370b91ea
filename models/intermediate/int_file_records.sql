{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

select
    batch_id,
    file_id,
    workspace_id,
    coalesce(cast(event_type as varchar), 'unknown') as event_type,
    cast(sum(record_count) as bigint) as records_landed,
    -- Those that no row is kept of: messages of an export that are not the first.
    cast(sum(record_count - 1) as bigint) as records_counted_only,
    count(*) filter (where reject_reason is not null) as records_rejected,
    count(*) filter (where is_ignored) as records_ignored
from {{ ref('stg_events') }}
where batch_id > {{ last_built_batch() }}
group by batch_id, file_id, workspace_id, event_type
