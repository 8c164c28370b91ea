{{
    config(parameters=[
        'start_date',
        'end_date',
        "frequency := 'day'",
        'workspace_id := null',
        'user_ids := null',
        'sources := null',
        'contact_ids := null',
        'contact_name := null',
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

counted as (
    select
        events.period_start,
        sum(events.contacts) filter (where events.event_type = 'added') as contacts_added,
        sum(events.contacts) filter (where events.event_type = 'deleted') as contacts_deleted,
        sum(events.contacts) filter (where events.event_type = 'merged') as contacts_merged
    from (
        select
            {{ period_start('counts.report_date') }} as period_start,
            counts.event_type,
            counts.contacts
        from ({{ filtered_counts(['added', 'deleted', 'merged']) }}) as counts
    ) as events
    group by events.period_start
)

select
    periods.period_start,
    cast(coalesce(counted.contacts_added, 0) as bigint) as contacts_added,
    cast(coalesce(counted.contacts_deleted, 0) as bigint) as contacts_deleted,
    cast(coalesce(counted.contacts_merged, 0) as bigint) as contacts_merged
from periods
left join counted on periods.period_start = counted.period_start
inner join ({{ checked_arguments(with_frequency=true) }}) as checked on checked.refusals = 0
order by periods.period_start
