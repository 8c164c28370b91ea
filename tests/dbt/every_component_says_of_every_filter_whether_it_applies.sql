-- Each component of the page says of each filter whether it applies, and why where it does not; each has one state.
{{ config(meta={'dagster': {'ref': {'name': 'report_filters'}}}) }}

select
    components.key as component,
    count(filters.filter) as filters_judged,
    count(*) filter (where filters.is_applicable = (filters.reason is not null)) as reasons_wrong,
    max(states.state) as state
from {{ ref('report_components') }} as components
left join {{ ref('report_filters') }} as filters on components.key = filters.component
left join {{ ref('component_states') }}(current_date - 29, current_date) as states on components.key = states.component
group by components.key
having
    count(filters.filter) <> 5
    or count(*) filter (where filters.is_applicable = (filters.reason is not null)) > 0
    or count(states.state) <> count(*)
