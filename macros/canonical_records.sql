{#-
    From a route's records to the shape that stg_events judges, in steps that a staging model puts together:
    a CTE `landed` with the fields of a canonical event as text, then `trimmed_fields`, then `typed_fields`.
-#}

{% macro canonical_fields() -%}
    {{ return([
        'event_id', 'event_type', 'occurred_at', 'contact_id', 'contact_name', 'source', 'user_id', 'channel_id',
        'merged_contact_id'
    ]) }}
{%- endmacro %}

{#- Adds each field trimmed, NULL where nothing is left; a contact's name is kept as it is (contract 2). -#}
{% macro trimmed_fields(landed) -%}
    select
        *,
        lower({{ trimmed('landed_event_type') }}) as event_type,
        {{ trimmed('landed_occurred_at') }} as occurred_at,
        {{ trimmed('landed_contact_id') }} as contact_id,
        nullif(landed_contact_name, '') as contact_name,
        {{ trimmed('landed_source') }} as source,
        {{ trimmed('landed_user_id') }} as user_id,
        {{ trimmed('landed_channel_id') }} as channel_id,
        {{ trimmed('landed_merged_contact_id') }} as merged_contact_id
    from {{ landed }}
{%- endmacro %}

{#- The columns that every route's staging model has. -#}
{% macro record_columns() -%}
    {{ return(
        ['batch_id', 'file_id', 'source_line', 'loaded_at', 'workspace_id', 'route', 'parse_error']
        + canonical_fields() | map('replace', '', 'landed_', 1) | list
        + ['number_fields', 'extra_fields', 'raw_record', 'is_ignored', 'event_id', 'event_type', 'has_occurred_at',
           'has_contact_id', 'contact_name', 'source', 'has_merged_contact_id', 'occurred_at', 'contact_id', 'user_id',
           'channel_id', 'merged_contact_id']
    ) }}
{%- endmacro %}

{#- `event_id` and `instant` are expressions over the trimmed fields: what identifies an event of this route, how it writes a time. -#}
{% macro typed_fields(trimmed, event_id, instant) -%}
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_id,
        route,
        parse_error,
        {%- for field in canonical_fields() %}
        landed_{{ field }},
        {%- endfor %}
        number_fields,
        extra_fields,
        raw_record,
        is_ignored,
        {{ event_id }} as event_id,
        event_type,
        occurred_at is not null as has_occurred_at,
        contact_id is not null as has_contact_id,
        contact_name,
        source,
        merged_contact_id is not null as has_merged_contact_id,
        {{ instant }} as occurred_at,
        {{ id_number('contact_id') }} as contact_id,
        {{ id_text('user_id') }} as user_id,
        {{ id_text('channel_id') }} as channel_id,
        {{ id_number('merged_contact_id') }} as merged_contact_id
    from {{ trimmed }}
{%- endmacro %}
