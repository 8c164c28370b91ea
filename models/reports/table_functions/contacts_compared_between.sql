{{
    config(parameters=[
        'start_date',
        'end_date',
        'workspace_id := null',
        'user_ids := null',
        'sources := null',
        'contact_ids := null',
        'channel_ids := null',
        "compared_with := 'preceding'",
        'contact_name := null',
    ])
}}

{% set event_types = event_types() -%}
{% set start_date, end_date = argument('start_date', 'date'), argument('end_date', 'date') -%}
{% set start_date_before, end_date_before = day_before(start_date), day_before(end_date) -%}

-- A day may be in both ranges.
with counted as (
    select
        counts.event_type,
        sum(counts.contacts) filter (where counts.report_date >= {{ start_date }}) as contacts,
        sum(counts.contacts) filter (where counts.report_date <= {{ end_date_before }}) as contacts_before
    from ({{ filtered_counts(event_types, channels=true, first_date=start_date_before) }}) as counts
    group by counts.event_type
)

select
    {{ compared('event_types', 'counted') }},
    {{ start_date_before }} as start_date_before,
    {{ end_date_before }} as end_date_before
from {{ ref('event_types') }} as event_types
left join counted on event_types.event_type = counted.event_type
inner join ({{ checked_arguments(with_compared_with=true) }}) as checked on checked.refusals = 0
-- Only connected events have a channel, so a filter on channels leaves the other metrics out.
where not {{ is_given('channel_ids') }} or event_types.event_type = 'connected'
order by metric
