{{
    config(parameters=[
        'start_date',
        'end_date',
        "frequency := 'day'",
        'workspace_id := null',
    ])
}}

with periods as (
    select days.period_start
    from (
        select {{ period_start('dates.report_date') }} as period_start
        from (
            select {{ each_day(argument('start_date', 'date'), argument('end_date', 'date')) }} as report_date
        ) as dates
    ) as days
    group by days.period_start
),

daily as (
    select
        counts.report_date,
        counts.contacts_added,
        counts.contacts_gone,
        counts.report_date < {{ argument('start_date', 'date') }} as is_before
    from {{ ref('agg_overview_daily') }} as counts
    where
        counts.report_date <= {{ argument('end_date', 'date') }}
        and (not {{ is_given('workspace_id') }} or counts.workspace_id = {{ argument('workspace_id', 'string') }})
),

before_the_range as (
    select coalesce(sum(daily.contacts_added - daily.contacts_gone), 0) as net_growth
    from daily
    where daily.is_before
),

counted as (
    select
        days.period_start,
        sum(days.contacts_added) as contacts_added,
        sum(days.contacts_gone) as contacts_gone
    from (
        select
            {{ period_start('daily.report_date') }} as period_start,
            daily.contacts_added,
            daily.contacts_gone
        from daily
        where not daily.is_before
    ) as days
    group by days.period_start
),

by_period as (
    select
        periods.period_start,
        coalesce(counted.contacts_added, 0) as contacts_added,
        coalesce(counted.contacts_gone, 0) as contacts_gone
    from periods
    left join counted on periods.period_start = counted.period_start
)

select
    by_period.period_start,
    cast(by_period.contacts_added as bigint) as contacts_added,
    cast(by_period.contacts_gone as bigint) as contacts_gone,
    cast(by_period.contacts_added - by_period.contacts_gone as bigint) as net_growth,
    cast(
        before_the_range.net_growth
        + sum(by_period.contacts_added - by_period.contacts_gone) over (order by by_period.period_start) as bigint
    ) as running_total
from by_period
cross join before_the_range
inner join ({{ checked_arguments(with_frequency=true, with_sources=false) }}) as checked on checked.refusals = 0
order by by_period.period_start
