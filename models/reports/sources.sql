select
    source,
    source_label,
    label_fr
from {{ ref('dim_source') }}
