{{
    config(parameters=[
        'start_date',
        'end_date',
        'workspace_id := null',
        'user_ids := null',
        'sources := null',
        'contact_ids := null',
        'channel_ids := null',
        'contact_name := null',
    ])
}}

with not_applicable as (
    select
        component_filters.component,
        string_agg(distinct component_filters.reason, '; ') as reason,
        string_agg(distinct component_filters.reason_fr, '; ') as reason_fr
    from {{ ref('component_filters') }} as component_filters
    where
        not component_filters.is_applicable
        and case component_filters.filter
            when 'date' then true
            when 'channel' then {{ is_given('channel_ids') }}
            when 'user' then {{ is_given('user_ids') }}
            when 'source' then {{ is_given('sources') }}
            when 'contact' then {{ is_given('contact_ids') }}
        end
    group by component_filters.component
),

known as (
    select distinct counts.event_type
    from ({{ filtered_counts(event_types(), channels=true) }}) as counts
),

-- The types of event without data between the dates. Only for these all days are read, and not if a name is searched.
missing as (
    select event_types.event_type
    from {{ ref('event_types') }} as event_types
    where event_types.event_type not in (select known.event_type from known)
),

first_dates as (
    select
        counts.event_type,
        min(counts.report_date) as first_date
    from ({{ filtered_counts(event_types(), channels=true, any_date=true) }}) as counts
    where counts.event_type in (select missing.event_type from missing)
    group by counts.event_type
),

-- The first day with an event of any type, whatever the other filters. From that day on a count of zero is a count.
beginning as (
    select min(daily.report_date) as first_date
    from {{ ref('agg_breakdown_daily') }} as daily
    where not {{ is_given('workspace_id') }} or daily.workspace_id = {{ argument('workspace_id', 'string') }}
),

components as (
    select
        event_types_of.component,
        event_types_of.kind,
        event_types_of.position,
        count(known.event_type) > 0 as has_data,
        min(first_dates.first_date) as first_date
    from (
        select
            listed.component,
            listed.kind,
            listed.position,
            unnest({{ words('listed.event_types') }}) as event_type
        from {{ ref('components') }} as listed
    ) as event_types_of
    left join known on event_types_of.event_type = known.event_type
    left join first_dates on event_types_of.event_type = first_dates.event_type
    group by event_types_of.component, event_types_of.kind, event_types_of.position
),

states as (
    select
        components.component,
        components.position,
        case
            when not_applicable.component is not null then 'not_applicable'
            when components.has_data then 'ok'
            when components.kind = 'metric' and beginning.first_date <= {{ argument('end_date', 'date') }} then 'ok'
            else 'no_data'
        end as state,
        not_applicable.reason as reason_not_applicable,
        not_applicable.reason_fr as reason_not_applicable_fr,
        components.first_date
    from components
    cross join beginning
    left join not_applicable on components.component = not_applicable.component
)

select
    states.component,
    states.state,
    case
        when states.state = 'not_applicable' then states.reason_not_applicable
        when states.state = 'no_data' and states.first_date is null and not {{ is_name_given() }}
            then 'Nothing matches the filters on any day'
        when states.state = 'no_data' and states.first_date > {{ argument('end_date', 'date') }}
            then 'What matches the filters begins after the dates'
        when states.state = 'no_data' then 'Nothing matches the filters between the dates'
    end as reason,
    case
        when states.state = 'not_applicable' then states.reason_not_applicable_fr
        when states.state = 'no_data' and states.first_date is null and not {{ is_name_given() }}
            then 'Rien ne correspond aux filtres, quel que soit le jour'
        when states.state = 'no_data' and states.first_date > {{ argument('end_date', 'date') }}
            then 'Ce qui correspond aux filtres commence après les dates'
        when states.state = 'no_data' then 'Rien ne correspond aux filtres entre les dates'
    end as reason_fr,
    case when states.state = 'no_data' then states.first_date end as first_date_with_data
from states
inner join ({{ checked_arguments() }}) as checked on checked.refusals = 0
order by states.position
