select
    cast(contacts.workspace_id as string) as workspace_id,
    contacts.contact_id,
    contacts.contact_name,
    contacts.status,
    cast(added.source as string) as source,
    cast(added.source_label as string) as source_label,
    contacts.added_at,
    contacts.first_connected_at,
    contacts.deleted_at,
    contacts.merged_at,
    contacts.merged_into_contact_id,
    contacts.survivor_contact_id,
    {{ hours_between('contacts.added_at', 'contacts.first_connected_at') }} as hours_to_connect
from {{ ref('dim_contact') }} as contacts
left join {{ ref('fct_contacts_added') }} as added
    on contacts.workspace_id = added.workspace_id and contacts.contact_id = added.contact_id
