{% set last_built = last_built_batch() | int %}
{% set directory_changes = ref('int_directory_changes') %}
{% set changeable_events = ref('int_changeable_events') %}

{% if last_built == 0 -%}

with now as (
    {{ superseded_among(ref('int_accepted_events')) }}
),

before as (
    select * from now
    where false
),

{%- else -%}

with at_stake as (
    select
        file_id,
        source_line
    from {{ changeable_events }}
    where is_at_stake
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
    from {{ changeable_events }} as records
    left join {{ directory_changes }} as changes
        on
            records.workspace_id = changes.workspace_id
            and records.channel_reference = changes.reference
            and changes.directory = 'channel'
    where records.batch_id <= {{ last_built }}
),

superseded_now as (
    {{ superseded_among(changeable_events) }}
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
