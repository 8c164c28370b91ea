-- A fact has every value except those that may be unknown: names, users, the channel and the merged contact.
{{ config(meta={'dagster': {'ref': {'name': 'fct_contacts_added'}}}) }}
{% set required = [
    'occurred_at', 'occurred_at_local', 'report_date', 'source', 'source_label', 'event_id', 'route', 'batch_id',
    'file_id', 'source_line',
] -%}

{% for event_type in event_types() -%}
select
    '{{ event_type }}' as event_type,
    workspace_id,
    event_id,
    file_id,
    source_line
from {{ ref('fct_contacts_' ~ event_type) }}
where
    workspace_id is null
    {%- for column in required + (['channel_name'] if event_type == 'connected' else []) %}
    or {{ column }} is null
    {%- endfor %}
{% if not loop.last %}union all{% endif %}
{% endfor %}
