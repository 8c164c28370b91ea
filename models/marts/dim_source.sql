{{ config(tags='rules_alone') }}

select
    source,
    source_label,
    label_fr
from {{ ref('event_sources') }}
