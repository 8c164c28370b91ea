-- Report logs are complete, the API and webhooks are fresh. On days that both cover they should report the same facts.
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

-- The events that a fresh route (webhooks, API) reports, standing or superseded.
reported_by_fresh_routes as (
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
        cast(event_type as string) as event_type,
        contact_id,
        channel_id
    from {{ ref('int_resolved_superseded_events') }}
    where route in ('webhook', 'api')
),

-- The facts of these, by natural key.
fresh_facts as (
    select distinct
        workspace_id,
        event_type,
        contact_id,
        channel_id
    from reported_by_fresh_routes
),

-- The days on which the fresh routes reported, for each type of event. They report added and connected contacts only,
-- and only since they are in use.
fresh_periods as (
    select
        workspace_id,
        event_type,
        min(report_date) as first_date,
        max(report_date) as last_date
    from reported_by_fresh_routes
    group by workspace_id, event_type
),

compared as (
    select
        standing.workspace_id,
        standing.report_date,
        standing.event_type,
        standing.route,
        covered.report_date is not null as is_covered_by_logs,
        coalesce(standing.report_date between periods.first_date and periods.last_date, false) as is_covered_by_fresh,
        fresh_facts.contact_id is not null as is_reported_fresh
    from standing
    left join {{ ref('int_covered_days') }} as covered
        on
            standing.workspace_id = covered.workspace_id
            and standing.event_type = covered.event_type
            and standing.report_date = covered.report_date
    left join fresh_periods as periods
        on standing.workspace_id = periods.workspace_id and standing.event_type = periods.event_type
    left join fresh_facts
        on
            standing.workspace_id = fresh_facts.workspace_id
            and standing.event_type = fresh_facts.event_type
            and standing.contact_id = fresh_facts.contact_id
            and standing.channel_id is not distinct from fresh_facts.channel_id
),

counted as (
    select
        workspace_id,
        report_date,
        cast(event_type as string) as event_type,
        count(*) filter (where route = 'report_log') as standing_report_log,
        count(*) filter (where route = 'events') as standing_events,
        count(*) filter (where route = 'data_export') as standing_data_export,
        count(*) filter (where route = 'webhook') as standing_webhook,
        count(*) filter (where route = 'api') as standing_api,
        is_covered_by_logs,
        count(*) filter (where is_covered_by_logs and route in ('webhook', 'api')) as missing_in_logs,
        count(*) filter (
            where is_covered_by_fresh and route = 'report_log' and not is_reported_fresh
        ) as only_in_logs
    from compared
    group by workspace_id, report_date, event_type, is_covered_by_logs
),

not_in_log as (
    select
        workspace_id,
        report_date,
        cast(event_type as string) as event_type,
        count(*) as events
    from {{ ref('int_superseded_events') }}
    where superseded_as = 'not_in_log'
    group by workspace_id, report_date, event_type
)

select
    cast(coalesce(counted.workspace_id, not_in_log.workspace_id) as string) as workspace_id,
    coalesce(counted.report_date, not_in_log.report_date) as report_date,
    coalesce(counted.event_type, not_in_log.event_type) as event_type,
    coalesce(counted.standing_report_log, 0) as standing_report_log,
    coalesce(counted.standing_events, 0) as standing_events,
    coalesce(counted.standing_data_export, 0) as standing_data_export,
    coalesce(counted.standing_webhook, 0) as standing_webhook,
    coalesce(counted.standing_api, 0) as standing_api,
    -- An event is superseded as not in the log only on a day that a log covers.
    coalesce(counted.is_covered_by_logs, true) as is_covered_by_logs,
    provisional.report_date is not null as is_provisional,
    coalesce(counted.missing_in_logs, 0) as missing_in_logs,
    coalesce(not_in_log.events, 0) as not_in_log,
    coalesce(counted.only_in_logs, 0) as only_in_logs
from counted
full outer join not_in_log
    on
        counted.workspace_id = not_in_log.workspace_id
        and counted.report_date = not_in_log.report_date
        and counted.event_type = not_in_log.event_type
left join {{ ref('agg_provisional_days') }} as provisional
    on
        counted.workspace_id = provisional.workspace_id
        and counted.report_date = provisional.report_date
        and counted.event_type = provisional.event_type
