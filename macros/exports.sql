{#-
    The files that respond.io exports: report logs and Data Export files. The names of their columns are in the seed
    `header_names`.
-#}

{#- The fields that a column of an export can be. -#}
{% macro export_fields() -%}
    {{ return([
        'occurred_at', 'contact_id', 'primary_contact_id', 'merged_contact_id', 'contact_name', 'source', 'channel_name',
        'user_name', 'sub_source', 'ad_campaign_id', 'ad_group_id', 'ad_id', 'first_name', 'last_name', 'created_at',
        'message_id', 'sender_type', 'sender_id', 'channel_id'
    ]) }}
{%- endmacro %}

{#- In a select list: the position of each field's column, from a relation that has them. -#}
{% macro field_positions(relation=none) -%}
    {%- for field in export_fields() %}
    {{ relation ~ '.' if relation }}{{ field }}_position{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The same, from rows with the position of one field each. The first position of a field counts. -#}
{% macro first_positions(field_column, position) -%}
    {%- for field in export_fields() %}
    min(case when {{ field_column }} = '{{ field }}' then {{ position }} end) as {{ field }}_position{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A column's name in the form that its spellings share: letters and digits, in lower case, without accents. -#}
{% macro header_spelling(column) -%}
    {{ replace_matches('lower(' ~ without_accents(column) ~ ')', '[^\\p{L}\\p{N}]', '') }}
{%- endmacro %}

{#- The words of a text, in lower case, without accents, each of them between two spaces. -#}
{% macro spelled_words(column) -%}
    ' ' || {{ replace_matches('lower(' ~ without_accents(column) ~ ')', '[^\\p{L}]+', ' ') }} || ' '
{%- endmacro %}

{#-
    The records of an export with the contents of their file, and their fields in the order of its header. Lines without
    quotes are split here. The raw zone has the fields of the others.
-#}
{% macro exported_records(table) -%}
    select
        records.batch_id,
        records.file_id,
        records.source_line,
        records.loaded_at,
        records.workspace_folder,
        records.route,
        records.parse_error,
        records.raw_record,
        files.contents,
        files.unknown_contents,
        {{ field_positions('files') }},
        case
            when records.parse_error is null
                then coalesce(records.fields, {{ split_text('records.raw_record', 'files.delimiter') }})
        end as fields
    from {{ source('raw', table) }} as records
    inner join {{ ref('stg_export_files') }} as files on records.file_id = files.file_id
{%- endmacro %}

{#- A field of a record of `exported_records`. NULL where the file has no such column. -#}
{% macro exported_field(field) -%}
    {{ element('fields', field ~ '_position') }}
{%- endmacro %}

{#- The same for a required field. In a file of unknown contents its column is not known, so the field is not missing. -#}
{% macro required_field(field) -%}
    case when unknown_contents is null then {{ exported_field(field) }} else 'unknown' end
{%- endmacro %}
