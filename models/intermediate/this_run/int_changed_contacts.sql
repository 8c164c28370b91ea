select
    workspace_id,
    contact_id
from {{ ref('int_changeable_events') }}
where is_at_stake
union
select
    workspace_id,
    merged_contact_id as contact_id
from {{ ref('int_changeable_events') }}
where is_at_stake and merged_contact_id is not null
