{{ config(materialized='view') }}

select
    facts.workspace_id,
    facts.report_date,
    facts.contact_id,
    facts.source,
    facts.source_label,
    facts.occurred_at as added_at,
    contacts.first_connected_at,
    {{ hours_between('facts.occurred_at', 'contacts.first_connected_at') }} as hours_to_connect
from {{ ref('fct_contacts_added') }} as facts
inner join {{ ref('dim_contact') }} as contacts
    on facts.workspace_id = contacts.workspace_id and facts.contact_id = contacts.contact_id
