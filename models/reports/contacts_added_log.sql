select
    cast(workspace_id as string) as workspace_id,
    occurred_at,
    occurred_at_local,
    report_date,
    contact_id,
    contact_name,
    cast(source as string) as source,
    cast(source_label as string) as source_label,
    user_id,
    user_name,
    event_id,
    cast(route as string) as route
from {{ ref('fct_contacts_added') }}
