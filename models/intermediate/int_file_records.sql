{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

select
    batch_id,
    file_id,
    workspace_id,
    coalesce(event_type, 'unknown') as event_type,
    count(*) as records_landed,
    count(*) filter (where reject_reason is not null) as records_rejected
from {{ ref('stg_events') }}
where batch_id > {{ last_built_batch() }}
group by batch_id, file_id, workspace_id, coalesce(event_type, 'unknown')
