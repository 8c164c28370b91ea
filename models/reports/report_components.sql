select
    components.component as key,
    components.position,
    components.title,
    components.title_fr,
    components.block,
    components.kind,
    'reports.' || components.view as view,
    'reports.' || components.table_function as table_function,
    {{ words('components.event_types') }} as event_types,
    applicable.filters
from {{ ref('components') }} as components
left join (
    select
        component_filters.component,
        {{ sorted_list('component_filters.filter') }} as filters
    from {{ ref('component_filters') }} as component_filters
    where component_filters.is_applicable
    group by component_filters.component
) as applicable on components.component = applicable.component
