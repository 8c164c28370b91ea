{% set last_built = last_built_batch() | int %}
{% set new_records, changeable_events = ref('int_new_records'), ref('int_changeable_events') %}
{% set directory_changes = ref('int_directory_changes') %}

{% if last_built == 0 -%}

with candidates as (
    {{ seen_again(new_records) }}
),

resolved as (
    {{ resolved_events('candidates') }}
),

superseded as (
    {{ superseded_among('resolved') }}
)

select
    {{ event_columns() | join(',\n    ') }},
    true as is_superseded,
    superseded_as,
    standing_event_id
from superseded

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
        {%- for column in event_columns() %}
        records.{{ column }},
        {%- endfor %}
        coalesce(changes.id_before, records.channel_id) as channel_id
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
)

select
    {%- for column in event_columns() %}
    coalesce(now.{{ column }}, before.{{ column }}) as {{ column }},
    {%- endfor %}
    now.file_id is not null as is_superseded,
    now.superseded_as,
    now.standing_event_id
from now
full outer join before on now.file_id = before.file_id and now.source_line = before.source_line
where
    now.superseded_as is distinct from before.superseded_as
    or now.standing_event_id is distinct from before.standing_event_id

{%- endif %}
