-- No event id stands twice in a workspace (contract 4). Keys of eight bytes are grouped first, and only ids whose key
-- is seen again by themselves. After an incremental run it is enough to look at the ids that the run has written.
{{ config(meta={'dagster': {'ref': {'name': 'fct_contact_events'}}}) }}
{% set facts, written = ref('fct_contact_events'), ref('int_changed_standing_events') %}

with seen_again as (
    select event_key from {{ facts }}
    where {{ last_built_batch() }} = 0 or event_key in (select event_key from {{ written }})
    group by event_key
    having count(*) > 1
)

select
    workspace_id,
    event_id,
    count(*) as row_count
from {{ facts }}
where event_key in (select event_key from seen_again)
group by workspace_id, event_id
having count(*) > 1
