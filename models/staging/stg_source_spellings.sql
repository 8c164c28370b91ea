with spellings as (
    select source, source as spelling from {{ ref('event_sources') }}
    union
    select source, source_label as spelling from {{ ref('event_sources') }}
    union
    select source, label_fr as spelling from {{ ref('event_sources') }}
    union
    select source, alias as spelling from {{ ref('source_aliases') }}
)

select distinct
    {{ source_spelling('spelling') }} as spelling,
    source
from spellings
