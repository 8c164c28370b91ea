-- Contacts are deleted and merged by users only, so every such event has the source `user` (contract 3).
select
    event_type,
    workspace_id,
    event_id,
    source
from {{ ref('fct_contact_events') }}
where event_type in ('deleted', 'merged') and source <> 'user'
