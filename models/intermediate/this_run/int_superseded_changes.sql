{% set last_built = last_built_batch() | int %}
{% set new_records, changeable_events = ref('int_new_records'), ref('int_changeable_events') %}

{% if last_built == 0 -%}

with candidates as (
    {{ candidates_among(new_records) }}
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

with superseded as (
    {{ superseded_among(changeable_events) }}
)

select
    {%- for column in event_columns() %}
    events.{{ column }},
    {%- endfor %}
    superseded.file_id is not null as is_superseded,
    superseded.superseded_as,
    superseded.standing_event_id
from {{ changeable_events }} as events
left join superseded on events.file_id = superseded.file_id and events.source_line = superseded.source_line
where
    events.is_affected
    and (
        superseded.superseded_as is distinct from events.superseded_as_before
        or superseded.standing_event_id is distinct from events.standing_event_id_before
    )

{%- endif %}
