{% set last_built = last_built_batch() | int %}

-- Nothing, when everything is built anew: then nobody asks. Otherwise the only model that looks at all records, one or
-- two numbers at a time (10 million events: 0.1 to 0.15 CPU-seconds each, and 0.9 for all columns of those it finds).
with new_event_keys as (
    select event_key from {{ ref('stg_events') }}
    where batch_id > {{ last_built }} and {{ last_built }} > 0 and event_key is not null
),

-- A contact is what a new record can touch: whatever arrives for a contact, all its records are resolved again. An
-- event that is sent again may have moved from one contact to another; then both are touched. So are those that were
-- connected on a channel which a directory has come to know, or another one by that name.
touched_contacts as (
    select
        workspace_id,
        contact_id
    from {{ ref('stg_events') }}
    where event_key in (select event_key from new_event_keys)
    union
    select
        events.workspace_id,
        events.contact_id
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_directory_changes') }} as changes
        on
            events.workspace_id = changes.workspace_id
            and events.channel_id = changes.reference
            and changes.directory = 'channel'
    where changes.id_now <> changes.id_before and events.event_key is not null
),

-- Whose history is told again: it has a part for those, too, that were merged into them.
contacts_to_tell_of as (
    select
        workspace_id,
        contact_id
    from touched_contacts
    union
    select
        workspace_id,
        merged_contact_id as contact_id
    from {{ ref('stg_events') }}
    where
        merged_contact_id is not null
        and event_key is not null
        and (workspace_id, contact_id) in (select workspace_id, contact_id from touched_contacts)
),

-- By their keys, and so with other versions of their events, which may be another contact's. And what shows a name that
-- changed.
touched_event_keys as (
    select event_key from {{ ref('stg_events') }}
    where (workspace_id, contact_id) in (select workspace_id, contact_id from contacts_to_tell_of)
    {% for directory in ['user', 'channel'] %}
    union
    select events.event_key
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_directory_changes') }} as changes
        on
            events.workspace_id = changes.workspace_id
            and events.{{ directory }}_id = changes.reference
            and changes.directory = '{{ directory }}'
    {% endfor %}
),

touched as (
    select * from {{ ref('stg_events') }}
    where event_key in (select event_key from touched_event_keys)
),

accepted as (
    {{ accepted_events('touched') }}
)

select
    accepted.*,
    touched_contacts.contact_id is not null as is_at_stake
from accepted
left join touched_contacts
    on accepted.workspace_id = touched_contacts.workspace_id and accepted.contact_id = touched_contacts.contact_id
