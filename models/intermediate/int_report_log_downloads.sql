{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

with events as (
    select
        batch_id,
        file_id,
        coalesce(max(cast(event_type as varchar)), 'unknown') as event_type,
        min(report_date) filter (where reject_reason is null) as first_date,
        max(report_date) filter (where reject_reason is null) as last_date
    from {{ ref('int_new_records') }}
    where route = 'report_log'
    group by batch_id, file_id
),

downloads as (
    select
        events.*,
        files.workspace_id,
        files.records_landed = 10000 as is_cut,
        {{ dates_in_name('files.source_file') }} as dates_in_name
    from events
    inner join {{ ref('stg_files') }} as files on events.file_id = files.file_id
),

-- Two dates in a file's name are the range that was asked for: days of it without an event had none.
periods as (
    select
        *,
        case
            when length(dates_in_name) = 2 and dates_in_name[1] <= dates_in_name[2] then dates_in_name
        end as range_in_name
    from downloads
)

-- The page gives at most 10,000 rows of a log. Which end of its period a cut download lacks is not known, so it covers
-- neither its first nor its last day.
select
    batch_id,
    file_id,
    workspace_id,
    event_type,
    is_cut,
    first_date,
    last_date,
    case when is_cut then first_date + 1 else least(first_date, range_in_name[1]) end as vouches_from,
    case when is_cut then last_date - 1 else greatest(last_date, range_in_name[2]) end as vouches_to
from periods
