{% set last_built = last_built_batch() | int %}
{% set new_records, directory_changes = ref('int_new_records'), ref('int_directory_changes') %}
{% set covered_days, message_statuses = ref('int_fully_covered_days'), ref('stg_message_statuses') %}
{% set routes = ref('routes') %}
{% set earlier = earlier_relations() %}

-- The only model that reads all earlier events: the keys of all, and the whole rows of those it finds (10 million
-- events: 0.5 s in a run with 100 or 1,000 new events, 1.0 s with 10,000).
with new_events as (
    select
        {{ event_columns() | join(',\n        ') }},
        {{ state_of_event() }}
    from {{ new_records }}
    where event_key is not null
),

{% if last_built == 0 -%}

-- Empty on a full refresh.
affected_contacts as (
    select
        workspace_id,
        contact_id
    from new_events
    where false
),

affected as (
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

-- A new record affects a contact, and all records of an affected contact are resolved again. An event that is sent
-- again may have another contact than before; it affects both. Also affected are the contacts that were connected on a
-- channel whose reference now stands for another id, by a message that is now reported as failed, or on a day that a
-- connected log now covers.
affected_contacts as (
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

-- The contacts to rebuild are these and the contacts that were merged into them.
contacts_to_rebuild as (
    select
        workspace_id,
        contact_id
    from affected_contacts
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
            select workspace_id, contact_id from affected_contacts
        )') }}
    ) as earlier_merges
),

of_contacts as (
    {{ earlier_events(earlier, '(workspace_id, contact_id) in (
        select workspace_id, contact_id from contacts_to_rebuild
    )', whole_rows=true) }}
),

-- Events of which only superseded versions were found. The later version belongs to another contact. It has to be
-- read, or an older version would stand again.
outdated_event_keys as (
    select event_key
    from of_contacts
    group by event_key
    having bool_and(coalesce(superseded_as_before = 'same_event', false))
),

-- These versions, and events with a changed name. Usually there are none. UNION, not UNION ALL: an event may be found
-- for more than one reason.
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

affected as (
    select * from new_events
    union all
    select * from of_contacts
    union all
    select of_other_contacts.*
    from of_other_contacts
    left join contacts_to_rebuild as rebuilt
        on of_other_contacts.workspace_id = rebuilt.workspace_id and of_other_contacts.contact_id = rebuilt.contact_id
    where rebuilt.contact_id is null
),

{%- endif %}

accepted as (
    {{ resolved_events('affected', state_columns()) }}
)

select
    accepted.*,
    affected_contacts.contact_id is not null as is_affected
from accepted
left join affected_contacts
    on accepted.workspace_id = affected_contacts.workspace_id and accepted.contact_id = affected_contacts.contact_id
