{% set last_built = last_built_batch() | int %}
{% set is_new = 'batch_id > ' ~ last_built ~ ' and ' ~ last_built ~ ' > 0' %}
{% set is_accepted = 'reject_reason is null and not is_ignored' %}

-- Nothing, when everything is built anew: then nobody asks. Otherwise the only model that looks at all records, one or
-- two columns at a time (10 million events: 0.1 to 0.2 CPU-seconds each, and 1.1 for all columns of those it finds).
with new_event_keys as (
    select event_key from {{ ref('stg_events') }}
    where {{ is_new }} and {{ is_accepted }}
),

-- A contact is what a new record can touch: whatever arrives for a contact, all its records are resolved again. An
-- event that is sent again may have moved from one contact to another; then both are touched. So are those that were
-- connected on a channel which a directory has come to know, or another one by that name.
touched_contacts as (
    select
        workspace_id,
        contact_id
    from {{ ref('stg_events') }}
    where event_key in (select event_key from new_event_keys) and {{ is_accepted }}
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
    where changes.id_now <> changes.id_before and {{ is_accepted }}
),

event_keys_at_stake as (
    select event_key from {{ ref('stg_events') }}
    where (workspace_id, contact_id) in (select workspace_id, contact_id from touched_contacts) and {{ is_accepted }}
),

-- With other versions of their events, which may be another contact's, and what shows a name that changed.
touched_records as (
    select
        file_id,
        source_line
    from {{ ref('stg_events') }}
    where event_key in (select event_key from event_keys_at_stake)
    {% for directory in ['user', 'channel'] %}
    union
    select
        events.file_id,
        events.source_line
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
    where (file_id, source_line) in (select file_id, source_line from touched_records)
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
