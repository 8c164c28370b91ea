-- No event id stands twice in a workspace (contract 4). The keys of eight bytes are grouped first, and then only the
-- ids with a repeated key. After an incremental run only the ids that the run wrote are tested.
{{ config(meta={'dagster': {'ref': {'name': 'fct_contact_events'}}}) }}
{% set facts, written = ref('fct_contact_events'), ref('int_changed_standing_events') %}

with repeated_keys as (
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
where event_key in (select event_key from repeated_keys)
group by workspace_id, event_id
having count(*) > 1
