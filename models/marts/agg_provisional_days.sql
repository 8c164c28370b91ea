{{ config(materialized='view') }}

select
    cast(standing.workspace_id as string) as workspace_id,
    standing.report_date,
    standing.event_type
from {{ ref('fct_contact_events') }} as standing
left join {{ ref('int_covered_days') }} as covered
    on
        standing.workspace_id = covered.workspace_id
        and standing.event_type = covered.event_type
        and standing.report_date = covered.report_date
where covered.report_date is null
group by standing.workspace_id, standing.report_date, standing.event_type
having count(*) = count(*) filter (where standing.route in ('webhook', 'api'))
