{{ config(materialized='view') }}

-- The four facts in one view. Columns are qualified: a table function reads the view, and the name of its parameter
-- hides a column of the same name.
{% for event_type in event_types() %}
select
    '{{ event_type }}' as event_type,
    facts.workspace_id,
    facts.report_date,
    facts.occurred_at,
    {{ 'facts.primary_contact_id as contact_id' if event_type == 'merged' else 'facts.contact_id' }},
    {{ 'facts.merged_contact_id' if event_type == 'merged' else 'cast(null as bigint)' }} as merged_contact_id,
    facts.contact_name,
    cast(facts.source as string) as source,
    facts.user_id,
    {{ 'facts.channel_id' if event_type == 'connected' else 'cast(null as string)' }} as channel_id,
    facts.event_id,
    cast(facts.route as string) as route,
    facts.batch_id,
    facts.file_id,
    facts.source_line,
    facts.event_key
from {{ ref('fct_contacts_' ~ event_type) }} as facts
{% if not loop.last %}union all{% endif %}
{% endfor %}
