-- Each component of the page has one row for each filter, with a reason exactly where the filter cannot apply, and one
-- state.
{{ config(enabled=has_table_functions(), meta={'dagster': {'ref': {'name': 'report_filters'}}}) }}

select
    components.key as component,
    count(*) as filters,
    count(*) filter (where (filters.reason is null) = filters.is_applicable) as reasons_right,
    count(states.state) as states
from {{ ref('report_components') }} as components
left join {{ ref('report_filters') }} as filters on components.key = filters.component
left join {{ ref('component_states') }}(current_date - 29, current_date) as states on components.key = states.component
group by components.key
having
    count(*) <> 5
    or count(distinct filters.filter) <> 5
    or count(*) filter (where (filters.reason is null) = filters.is_applicable) <> 5
    or count(states.state) <> 5
