{{
    config(parameters=[
        'start_date',
        'end_date',
        'workspace_id := null',
        'user_ids := null',
        'sources := null',
        'contact_ids := null',
        'channel_ids := null',
    ])
}}

{% set event_types = event_types() -%}
{% set start_date_before = same_length_before(argument('start_date', 'date'), argument('end_date', 'date')) -%}

with counted as (
    select
        counts.event_type,
        sum(counts.contacts) filter (where counts.report_date >= {{ argument('start_date', 'date') }}) as contacts,
        sum(counts.contacts) filter (where counts.report_date < {{ argument('start_date', 'date') }}) as contacts_before
    from ({{ filtered_counts(event_types, channels=true, first_date=start_date_before) }}) as counts
    group by counts.event_type
)

select {{ compared('event_types', 'counted') }}
from {{ ref('event_types') }} as event_types
left join counted on event_types.event_type = counted.event_type
where
    {{ argument('start_date', 'date') }} <= {{ argument('end_date', 'date') }}
    -- Only connected contacts have a channel: of the others nothing can be said.
    and (not {{ is_given('channel_ids') }} or event_types.event_type = 'connected')
union all by name
select cast(null as varchar) as metric
where {{ arguments_are_refused() }}
order by metric
