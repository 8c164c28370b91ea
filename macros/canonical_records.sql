{#-
    Translates the records of a route into canonical events, which stg_events validates. The model of a route has a CTE with
    the fields as text, named `landed_…`, and ends with `typed_fields`.
-#}

{% macro canonical_fields() -%}
    {{ return([
        'event_id', 'event_type', 'occurred_at', 'contact_id', 'contact_name', 'source', 'user_id', 'channel_id',
        'merged_contact_id'
    ]) }}
{%- endmacro %}

{#- The columns that every route's staging model has. -#}
{% macro record_columns() -%}
    {{ return(
        ['batch_id', 'file_id', 'source_line', 'loaded_at', 'workspace_id', 'route', 'parse_error']
        + canonical_fields() | map('replace', '', 'landed_', 1) | list
        + ['number_fields', 'extra_fields', 'raw_record', 'is_ignored', 'event_id', 'event_type', 'has_occurred_at',
           'has_contact_id', 'contact_name', 'source', 'has_merged_contact_id', 'occurred_at', 'contact_id', 'user_id',
           'channel_id', 'merged_contact_id', 'message_id']
    ) }}
{%- endmacro %}

{#-
    Trims and types the values. A contact's name is kept as it is (contract 2). `event_id`, `instant` and `message_id` are
    expressions: the id of the event, its time, and the id of its message, if it has one.
-#}
{% macro typed_fields(landed, event_id, instant, message_id='cast(null as string)') -%}
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
        lower({{ trimmed_word('landed_event_type') }}) as event_type,
        {{ has_text('landed_occurred_at') }} as has_occurred_at,
        {{ has_text('landed_contact_id') }} as has_contact_id,
        nullif(landed_contact_name, '') as contact_name,
        {{ trimmed_word('landed_source') }} as source,
        {{ has_text('landed_merged_contact_id') }} as has_merged_contact_id,
        {{ instant }} as occurred_at,
        {{ id_number('landed_contact_id') }} as contact_id,
        {{ id_text('landed_user_id') }} as user_id,
        {{ id_text('landed_channel_id') }} as channel_id,
        {{ id_number('landed_merged_contact_id') }} as merged_contact_id,
        {{ message_id }} as message_id
    from {{ landed }}
{%- endmacro %}
