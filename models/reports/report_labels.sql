select
    'source' as subject,
    source as key,
    source_label as label,
    label_fr
from {{ ref('dim_source') }}
union all
select
    'date_range' as subject,
    date_range as key,
    label,
    label_fr
from {{ ref('date_range_presets') }}
union all
select
    'component' as subject,
    component as key,
    title as label,
    title_fr as label_fr
from {{ ref('components') }}
union all
select
    subject,
    key,
    label,
    label_fr
from {{ ref('labels') }}
union all
select
    'channel' as subject,
    'unknown' as key,
    {{ unknown_channel() }} as label,
    {{ unknown_channel('fr') }} as label_fr
