{% set last_built = last_built_batch() | int %}
{% set new_records, directory_changes = ref('int_new_records'), ref('int_directory_changes') %}
{% set covered_days, message_statuses = ref('int_log_covered_days'), ref('stg_message_statuses') %}
{% set routes = ref('routes') %}
{% set earlier = earlier_relations() %}

-- The only model that looks at all events there are: at the keys of all, at whole rows of those found (10 million: 0.5
-- s in a run with 100 or 1,000 new events, 1.0 s with 10,000, whose contacts' events lie everywhere).
with new_events as (
    select
        {{ event_columns() | join(',\n        ') }},
        {{ state_of_event() }}
    from {{ new_records }}
    where event_key is not null
),

{% if last_built == 0 -%}

-- Empty on a full refresh.
touched_contacts as (
    select
        workspace_id,
        contact_id
    from new_events
    where false
),

touched as (
    select * from new_events
    where false
),

{%- else -%}

renamed_channels as (
    select * from {{ directory_changes }}
    where directory = 'channel'
),

renamed_users as (
    select * from {{ directory_changes }}
    where directory = 'user'
),

newly_covered_days as (
    select
        workspace_id,
        report_date
    from {{ covered_days }}
    where covered_since_batch > {{ last_built }}
),

-- Usually no message failed.
newly_reported_messages as (
    select
        {{ listed_workspace('workspace_id') }} as workspace_id,
        message_id
    from {{ message_statuses }}
    group by workspace_id, message_id
    having max(batch_id) > {{ last_built }} and bool_or(status = 'failed')
),

-- A contact is what a new record can touch: whatever arrives for a contact, all its records are resolved again. An
-- event that is sent again may have moved from one contact to another; then both are touched. So are those that were
-- connected on a channel which a directory has come to know, or another one by that name; those of a message with a new
-- status; and those that were connected on a day that a connected log now covers.
touched_contacts as (
    select
        workspace_id,
        contact_id
    from new_events
    union
    select
        workspace_id,
        contact_id
    from ({{ earlier_events(earlier, 'event_key in (select event_key from new_events)') }}) as earlier_versions
    union
    select
        workspace_id,
        contact_id
    from (
        {{ earlier_events(earlier, '(workspace_id, channel_reference) in (
            select workspace_id, reference from renamed_channels where is_another_id
        )') }}
    ) as on_renamed_channels
    union
    select
        workspace_id,
        contact_id
    from (
        {{ earlier_events(earlier, '(workspace_id, message_id) in (
            select workspace_id, message_id from newly_reported_messages
        )') }}
    ) as of_reported_messages
    union
    select
        workspace_id,
        contact_id
    from (
        {{ earlier_events(earlier, "event_type = 'connected' and route in (
            select route from " ~ routes ~ " where yields_to_log
        ) and (workspace_id, report_date) in (
            select workspace_id, report_date from newly_covered_days
        )") }}
    ) as on_newly_covered_days
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
    from new_events
    where merged_contact_id is not null
    union
    select
        workspace_id,
        merged_contact_id as contact_id
    from (
        {{ earlier_events(earlier, 'merged_contact_id is not null and (workspace_id, contact_id) in (
            select workspace_id, contact_id from touched_contacts
        )') }}
    ) as earlier_merges
),

of_contacts as (
    {{ earlier_events(earlier, '(workspace_id, contact_id) in (
        select workspace_id, contact_id from contacts_to_tell_of
    )', whole_rows=true) }}
),

-- Of these only versions were found whose place a later one took: that one is another contact's, and has to be there so
-- that the others do not stand again.
outdated_event_keys as (
    select event_key
    from of_contacts
    group by event_key
    having bool_and(coalesce(superseded_as_before = 'same_event', false))
),

-- Those, and what shows a name that changed. Usually none, and then nothing is looked for. UNION, not UNION ALL: an
-- event may be there for more than one reason.
of_other_contacts as (
    select *
    from (
        {{ earlier_events(earlier, 'event_key in (select event_key from outdated_event_keys)', whole_rows=true) }}
    ) as later_versions
    union
    select *
    from (
        {{ earlier_events(earlier, '(workspace_id, user_reference) in (
            select workspace_id, reference from renamed_users
        )', whole_rows=true) }}
    ) as by_renamed_users
    union
    select *
    from (
        {{ earlier_events(earlier, '(workspace_id, channel_reference) in (
            select workspace_id, reference from renamed_channels
        )', whole_rows=true) }}
    ) as on_renamed_channels
),

touched as (
    select * from new_events
    union all
    select * from of_contacts
    union all
    select * from of_other_contacts
    where (workspace_id, contact_id) not in (select workspace_id, contact_id from contacts_to_tell_of)
),

{%- endif %}

accepted as (
    {{ resolved_events('touched', state_columns()) }}
)

select
    accepted.*,
    touched_contacts.contact_id is not null as is_at_stake
from accepted
left join touched_contacts
    on accepted.workspace_id = touched_contacts.workspace_id and accepted.contact_id = touched_contacts.contact_id
