{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

-- The page gives at most 10,000 rows of a log. Which end of the period a cut file lacks is not known, so it vouches for
-- neither its first nor its last day.
with downloads as (
    select
        events.batch_id,
        events.file_id,
        files.workspace_id,
        coalesce(max(cast(events.event_type as varchar)), 'unknown') as event_type,
        files.records_landed = 10000 as is_cut,
        min(events.report_date) filter (where events.reject_reason is null) as first_date,
        max(events.report_date) filter (where events.reject_reason is null) as last_date
    from {{ ref('int_new_records') }} as events
    inner join {{ ref('stg_files') }} as files on events.file_id = files.file_id
    where events.route = 'report_log'
    group by events.batch_id, events.file_id, files.workspace_id, files.records_landed
)

select
    batch_id,
    file_id,
    workspace_id,
    event_type,
    is_cut,
    first_date,
    last_date,
    case when is_cut then first_date + 1 else first_date end as vouches_from,
    case when is_cut then last_date - 1 else last_date end as vouches_to
from downloads
