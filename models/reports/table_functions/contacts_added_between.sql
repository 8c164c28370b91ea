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

with counted as (
    select
        events.period_start,
        events.source,
        cast(sum(events.contacts) as bigint) as contacts_added
    from (
        select
            {{ period_start('counts.report_date') }} as period_start,
            counts.source,
            counts.contacts
        from ({{ filtered_counts(['added']) }}) as counts
    ) as events
    group by events.period_start, events.source
),

totals as (
    select
        counted.period_start,
        sum(counted.contacts_added) as contacts_added
    from counted
    group by counted.period_start
)

select
    counted.period_start,
    counted.source,
    labels.source_label,
    counted.contacts_added,
    {{ percentage('counted.contacts_added', 'totals.contacts_added') }} as percentage
from counted
inner join totals on counted.period_start = totals.period_start
inner join {{ ref('dim_source') }} as labels on counted.source = labels.source
inner join ({{ checked_arguments(with_frequency=true) }}) as checked on checked.refusals = 0
order by counted.period_start asc, counted.contacts_added desc
