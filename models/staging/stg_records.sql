-- The records of all routes, with the same columns.
{% for model in [
    'stg_canonical_events', 'stg_report_log_events', 'stg_exported_contacts', 'stg_exported_messages', 'stg_webhook_events',
    'stg_api_contacts'
] %}
select
    {{ record_columns() | join(',\n    ') }}
from {{ ref(model) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
