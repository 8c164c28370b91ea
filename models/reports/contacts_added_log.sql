select
    cast(workspace_id as varchar) as workspace_id,
    occurred_at,
    occurred_at_local,
    report_date,
    contact_id,
    contact_name,
    cast(source as varchar) as source,
    cast(source_label as varchar) as source_label,
    user_id,
    user_name,
    event_id,
    cast(route as varchar) as route
from {{ ref('fct_contacts_added') }}
