{{ config(materialized='view') }}

-- The four facts in one view.
{% for event_type in event_types() %}
select
    '{{ event_type }}' as event_type,
    workspace_id,
    report_date,
    occurred_at,
    {{ 'primary_contact_id' if event_type == 'merged' else 'contact_id' }} as contact_id,
    {{ 'merged_contact_id' if event_type == 'merged' else 'cast(null as bigint)' }} as merged_contact_id,
    contact_name,
    cast(source as string) as source,
    user_id,
    {{ 'channel_id' if event_type == 'connected' else 'cast(null as string)' }} as channel_id,
    event_id,
    cast(route as string) as route,
    batch_id,
    file_id,
    source_line,
    event_key
from {{ ref('fct_contacts_' ~ event_type) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
