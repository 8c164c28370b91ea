-- Every route in one shape. An export's messages come with the number of those that they stand for.
{% for model in [
    'stg_canonical_events', 'stg_report_log_events', 'stg_exported_contacts', 'stg_webhook_events', 'stg_api_contacts'
] %}
select
    {{ record_columns() | join(',\n    ') }},
    1 as record_count
from {{ ref(model) }}
union all
{% endfor %}
select
    {% for column in record_columns() -%}
    messages.{{ column }},
    {% endfor -%}
    to_judge.record_count
from {{ ref('stg_exported_messages') }} as messages
inner join {{ ref('stg_messages_to_judge') }} as to_judge
    on
        messages.batch_id = to_judge.batch_id
        and messages.file_id = to_judge.file_id
        and messages.source_line = to_judge.source_line
