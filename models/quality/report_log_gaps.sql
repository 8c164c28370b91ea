-- Days between two that downloads vouch for, of which the one is not followed by the other.
with vouched as (
    select
        workspace_id,
        event_type,
        report_date,
        lead(report_date) over (partition by workspace_id, event_type order by report_date) as next_report_date
    from {{ ref('int_vouched_days') }}
)

select
    workspace_id,
    event_type,
    report_date + 1 as first_date,
    next_report_date - 1 as last_date,
    cast(next_report_date - report_date - 1 as bigint) as days
from vouched
where next_report_date > report_date + 1
