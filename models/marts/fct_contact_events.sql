{{ config(materialized='view') }}

-- The facts in one shape, for what looks at all of them.
{% for event_type in event_types() %}
{{ contact_events(event_type) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
