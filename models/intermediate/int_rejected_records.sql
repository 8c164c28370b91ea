{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

select
    batch_id,
    file_id,
    source_line,
    route,
    event_type,
    reject_reason,
    reject_detail,
    raw_record
from {{ ref('int_new_records') }}
where reject_reason is not null
