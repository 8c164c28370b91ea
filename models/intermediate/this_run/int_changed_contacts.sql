select
    workspace_id,
    contact_id
from {{ ref('int_changeable_events') }}
where is_affected
union
select
    workspace_id,
    merged_contact_id as contact_id
from {{ ref('int_changeable_events') }}
where is_affected and merged_contact_id is not null
