-- Report logs are the truth, API and webhooks are fresh: of the days that both know, they should tell the same facts.
with standing as (
    select
        workspace_id,
        report_date,
        event_type,
        contact_id,
        channel_id,
        route
    from {{ ref('fct_contact_events') }}
),

-- What a fresh route tells, whichever record of it stands.
told_by_fresh_routes as (
    select
        workspace_id,
        report_date,
        event_type,
        contact_id,
        channel_id
    from standing
    where route in ('webhook', 'api')
    union all
    select
        workspace_id,
        report_date,
        cast(event_type as varchar) as event_type,
        contact_id,
        channel_id
    from {{ ref('int_resolved_superseded_events') }}
    where route in ('webhook', 'api')
),

-- Its facts by their natural key.
told_fresh as (
    select distinct
        workspace_id,
        event_type,
        contact_id,
        channel_id
    from told_by_fresh_routes
),

-- API and webhooks know of nothing but contacts that were added, and messages; and of that only since they are used.
fresh_periods as (
    select
        workspace_id,
        event_type,
        min(report_date) as first_date,
        max(report_date) as last_date
    from told_by_fresh_routes
    group by workspace_id, event_type
),

compared as (
    select
        standing.workspace_id,
        standing.report_date,
        standing.event_type,
        standing.route,
        vouched.report_date is not null as is_covered_by_logs,
        coalesce(standing.report_date between periods.first_date and periods.last_date, false) as is_covered_by_fresh,
        told_fresh.contact_id is not null as is_told_fresh
    from standing
    left join {{ ref('int_vouched_days') }} as vouched
        on
            standing.workspace_id = vouched.workspace_id
            and standing.event_type = vouched.event_type
            and standing.report_date = vouched.report_date
    left join fresh_periods as periods
        on standing.workspace_id = periods.workspace_id and standing.event_type = periods.event_type
    left join told_fresh
        on
            standing.workspace_id = told_fresh.workspace_id
            and standing.event_type = told_fresh.event_type
            and standing.contact_id = told_fresh.contact_id
            and standing.channel_id is not distinct from told_fresh.channel_id
)

select
    cast(workspace_id as varchar) as workspace_id,
    report_date,
    event_type,
    count(*) filter (where route = 'report_log') as standing_report_log,
    count(*) filter (where route = 'events') as standing_events,
    count(*) filter (where route = 'data_export') as standing_data_export,
    count(*) filter (where route = 'webhook') as standing_webhook,
    count(*) filter (where route = 'api') as standing_api,
    is_covered_by_logs,
    count(*) filter (where is_covered_by_logs and route in ('webhook', 'api')) as missing_in_logs,
    count(*) filter (
        where is_covered_by_fresh and route = 'report_log' and not is_told_fresh
    ) as only_in_logs
from compared
group by workspace_id, report_date, event_type, is_covered_by_logs
