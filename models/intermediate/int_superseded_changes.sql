{% set last_built = last_built_batch() | int %}
{% set directory_changes = ref('int_directory_changes') %}

{% if last_built == 0 -%}

with now as (
    {{ superseded_among(ref('int_accepted_events')) }}
),

before as (
    select * from now
    where false
),

{%- else -%}

-- A contact is what a new record can touch: whatever arrives for a contact, all its records are resolved again. An
-- event that is sent again may have moved from one contact to another; then both are touched. So are those that were
-- connected on a channel which a directory has come to know, or another one by that name.
with touched_contacts as (
    select
        workspace_id,
        contact_id
    from {{ ref('int_accepted_events') }}
    where
        event_key in (
            select event_key from {{ ref('int_accepted_events') }}
            where batch_id > {{ last_built }}
        )
    union
    select
        events.workspace_id,
        events.contact_id
    from {{ ref('int_accepted_events') }} as events
    inner join {{ directory_changes }} as changes
        on
            events.workspace_id = changes.workspace_id
            and events.channel_reference = changes.reference
            and changes.directory = 'channel'
    where changes.id_now <> changes.id_before
),

at_stake as (
    select * from {{ ref('int_accepted_events') }}
    where (workspace_id, contact_id) in (select workspace_id, contact_id from touched_contacts)
),

-- With their other versions, which may be another contact's.
records_now as (
    select * from {{ ref('int_accepted_events') }}
    where event_key in (select event_key from at_stake)
),

records_before as (
    select
        records.batch_id,
        records.file_id,
        records.source_line,
        records.workspace_id,
        records.event_type,
        records.contact_id,
        coalesce(changes.id_before, records.channel_id) as channel_id,
        records.merged_contact_id,
        records.route_precedence,
        records.occurred_at,
        records.event_id,
        records.event_key
    from records_now as records
    left join {{ directory_changes }} as changes
        on
            records.workspace_id = changes.workspace_id
            and records.channel_reference = changes.reference
            and changes.directory = 'channel'
    where records.batch_id <= {{ last_built }}
),

superseded_now as (
    {{ superseded_among('records_now') }}
),

superseded_before as (
    {{ superseded_among('records_before') }}
),

now as (
    select * from superseded_now
    where (file_id, source_line) in (select file_id, source_line from at_stake)
),

before as (
    select * from superseded_before
    where (file_id, source_line) in (select file_id, source_line from at_stake)
),

{%- endif %}

changes as (
    select
        {% for column in ['batch_id', 'file_id', 'source_line', 'workspace_id', 'event_type', 'event_id'] %}
        coalesce(now.{{ column }}, before.{{ column }}) as {{ column }},
        {% endfor %}
        now.file_id is not null as is_superseded,
        now.superseded_as,
        now.standing_event_id
    from now
    full outer join before on now.file_id = before.file_id and now.source_line = before.source_line
    where
        now.superseded_as is distinct from before.superseded_as
        or now.standing_event_id is distinct from before.standing_event_id
)

select * from changes
