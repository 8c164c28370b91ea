select
    component,
    filter,
    is_applicable,
    reason,
    reason_fr
from {{ ref('component_filters') }}
