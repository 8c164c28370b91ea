-- The days between two covered days that do not follow each other.
with covered as (
    select
        workspace_id,
        event_type,
        report_date,
        lead(report_date) over (partition by workspace_id, event_type order by report_date) as next_report_date
    from {{ ref('int_covered_days') }}
),

-- In a log with less than one event a day, a day that no download covers may be a day without an event.
busy_logs as (
    select
        covered.workspace_id,
        covered.event_type
    from covered
    left join {{ ref('agg_contacts_daily') }} as counts
        on
            covered.workspace_id = counts.workspace_id
            and covered.event_type = counts.event_type
            and covered.report_date = counts.report_date
    group by covered.workspace_id, covered.event_type
    having coalesce(sum(counts.contacts), 0) >= count(distinct covered.report_date)
)

select
    covered.workspace_id,
    covered.event_type,
    covered.report_date + 1 as first_date,
    covered.next_report_date - 1 as last_date,
    cast({{ days_from('covered.report_date', 'covered.next_report_date') }} - 1 as bigint) as days,
    case when busy_logs.event_type is null then 'possible' else 'certain' end as certainty
from covered
left join busy_logs on covered.workspace_id = busy_logs.workspace_id and covered.event_type = busy_logs.event_type
where covered.next_report_date > covered.report_date + 1
