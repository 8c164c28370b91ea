{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

with counted as (
    select
        batch_id,
        file_id,
        coalesce(cast(event_type as string), 'unknown') as event_type,
        count(*) as records_landed,
        count(*) filter (where reject_reason is not null) as records_rejected,
        count(*) filter (where is_ignored) as records_ignored
    from {{ ref('int_new_records') }}
    group by batch_id, file_id, event_type
)

select
    counted.batch_id,
    counted.file_id,
    files.workspace_id,
    counted.event_type,
    counted.records_landed,
    counted.records_rejected,
    counted.records_ignored
from counted
inner join {{ ref('stg_files') }} as files on counted.file_id = files.file_id
