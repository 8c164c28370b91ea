-- Each run rebuilds it. It reads the breakdown, not the facts (10 million events: 62,000 rows).
with daily as (
    select
        workspace_id,
        report_date,
        cast(coalesce(sum(contacts) filter (where event_type = 'added'), 0) as bigint) as contacts_added,
        cast(coalesce(sum(contacts) filter (where event_type = 'deleted'), 0) as bigint) as contacts_deleted,
        cast(coalesce(sum(contacts) filter (where event_type = 'merged'), 0) as bigint) as contacts_merged
    from {{ ref('agg_breakdown_daily') }}
    group by workspace_id, report_date
),

spans as (
    select
        workspace_id,
        min(report_date) as first_date,
        max(report_date) as last_date
    from daily
    group by workspace_id
),

days as (
    select
        spans.workspace_id,
        dates.date_day as report_date
    from spans
    inner join {{ ref('dim_date') }} as dates on dates.date_day between spans.first_date and spans.last_date
),

-- A contact is gone once: on the day on which it was first deleted or merged away. A merge whose merged contact is not
-- known counts as one contact gone.
gone as (
    select
        workspace_id,
        report_date,
        count(*) as contacts_gone
    from (
        select
            workspace_id,
            gone_on as report_date
        from {{ ref('int_contact_histories') }}
        where gone_on is not null
        union all
        select
            workspace_id,
            report_date
        from {{ ref('fct_contacts_merged') }}
        where merged_contact_id is null
    ) as departures
    group by workspace_id, report_date
),

overview as (
    select
        days.workspace_id,
        days.report_date,
        coalesce(daily.contacts_added, 0) as contacts_added,
        coalesce(daily.contacts_deleted, 0) as contacts_deleted,
        coalesce(daily.contacts_merged, 0) as contacts_merged,
        coalesce(gone.contacts_gone, 0) as contacts_gone
    from days
    left join daily on days.workspace_id = daily.workspace_id and days.report_date = daily.report_date
    left join gone on days.workspace_id = gone.workspace_id and days.report_date = gone.report_date
)

select
    workspace_id,
    report_date,
    contacts_added,
    contacts_deleted,
    contacts_merged,
    contacts_gone,
    cast(sum(contacts_added - contacts_gone) over (
        partition by workspace_id order by report_date rows between unbounded preceding and current row
    ) as bigint) as running_total
from overview
{{ storage_order(['report_date', 'workspace_id']) }}
