{{ config(materialized='table_function', parameters=['contact_name']) }}

select
    facts.event_type,
    facts.workspace_id,
    facts.report_date,
    facts.occurred_at,
    facts.contact_id,
    facts.merged_contact_id,
    facts.contact_name,
    facts.source,
    facts.user_id,
    facts.channel_id,
    facts.event_id,
    facts.route,
    facts.batch_id,
    facts.file_id,
    facts.source_line,
    facts.event_key
from {{ ref('fct_contact_events') }} as facts
where {{ passes_contact_name('facts') }}
