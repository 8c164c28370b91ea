{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

with logs as (
    select
        *,
        {{ dates_in_name('source_file') }} as dates_in_name
    from {{ ref('stg_export_files') }}
    where kind = 'report_logs' and batch_id > {{ last_built_batch() }}
),

days_of_events as (
    select
        file_id,
        min(report_date) as first_date,
        max(report_date) as last_date
    from {{ ref('int_new_records') }}
    where route = 'report_log' and event_key is not null
    group by file_id
),

-- Two dates in the name of a file are the range of the download: a day of it without a row had no event.
downloads as (
    select
        logs.batch_id,
        logs.file_id,
        logs.workspace_id,
        case when logs.unknown_contents is null then logs.contents else 'unknown' end as event_type,
        files.records_landed = 10000 as is_cut,
        days_of_events.first_date,
        days_of_events.last_date,
        case
            when
                logs.refusal is null
                and workspaces.workspace_id is not null
                and {{ list_length('logs.dates_in_name') }} = 2
                and {{ element('logs.dates_in_name', 1) }} <= {{ element('logs.dates_in_name', 2) }}
                then logs.dates_in_name
        end as range_in_name
    from logs
    inner join {{ ref('stg_files') }} as files on logs.file_id = files.file_id
    left join days_of_events on logs.file_id = days_of_events.file_id
    left join {{ ref('stg_workspaces') }} as workspaces on logs.workspace_id = workspaces.workspace_id
)

-- The page gives at most 10,000 rows of a log. It is not known whether a cut download lacks rows of its first or of
-- its last day, so it covers neither.
select
    batch_id,
    file_id,
    workspace_id,
    coalesce(event_type, 'unknown') as event_type,
    is_cut,
    first_date,
    last_date,
    case when is_cut then first_date + 1 else least(first_date, {{ element('range_in_name', 1) }}) end as covers_from,
    case when is_cut then last_date - 1 else greatest(last_date, {{ element('range_in_name', 2) }}) end as covers_to
from downloads
