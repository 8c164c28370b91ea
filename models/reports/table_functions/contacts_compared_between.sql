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

{% set event_types = ['added', 'connected', 'deleted', 'merged'] -%}
{% set start_date_before = same_length_before('cast(start_date as date)', 'cast(end_date as date)') -%}

with counted as (
    select
        counts.event_type,
        sum(counts.contacts) filter (where counts.report_date >= cast(start_date as date)) as contacts,
        sum(counts.contacts) filter (where counts.report_date < cast(start_date as date)) as contacts_before
    from ({{ filtered_counts(event_types, channels=true, first_date=start_date_before) }}) as counts
    group by counts.event_type
)

select {{ compared('event_types', 'counted') }}
from {{ ref('event_types') }} as event_types
left join counted on event_types.event_type = counted.event_type
where
    cast(start_date as date) <= cast(end_date as date)
    -- Only connected contacts have a channel: of the others nothing can be said.
    and (channel_ids is null or event_types.event_type = 'connected')
union all by name
select cast(null as varchar) as metric where {{ arguments_are_refused() }}
order by metric
