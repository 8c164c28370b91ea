{#- What the files are that respond.io exports: report logs and Data Export files. Their columns are in the seed `header_names`. -#}

{#- The fields that the columns of an export may mean. -#}
{% macro export_fields() -%}
    {{ return([
        'occurred_at', 'contact_id', 'primary_contact_id', 'merged_contact_id', 'contact_name', 'source', 'channel_name',
        'user_name', 'sub_source', 'ad_campaign_id', 'ad_group_id', 'ad_id', 'first_name', 'last_name', 'created_at',
        'message_id', 'sender_type', 'sender_id', 'channel_id'
    ]) }}
{%- endmacro %}

{#- In a select list: where the column of each field stands, as a relation has it. -#}
{% macro field_positions(relation=none) -%}
    {%- for field in export_fields() %}
    {{ relation ~ '.' if relation }}{{ field }}_position{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The same, from rows that each have the position of a field. The first position of a field counts. -#}
{% macro first_positions(field_column, position) -%}
    {%- for field in export_fields() %}
    min(case when {{ field_column }} = '{{ field }}' then {{ position }} end) as {{ field }}_position{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- What spellings of a column's name have in common: its letters and digits, without case and accents. -#}
{% macro header_spelling(column) -%}
    {{ replace_matches('lower(' ~ without_accents(column) ~ ')', '[^\\p{L}\\p{N}]', '') }}
{%- endmacro %}

{#- The words of a text, without case and accents, each of them between two spaces. -#}
{% macro spelled_words(column) -%}
    ' ' || {{ replace_matches('lower(' ~ without_accents(column) ~ ')', '[^\\p{L}]+', ' ') }} || ' '
{%- endmacro %}

{#-
    The records of an export with what their file is, and the fields in the order of its header. Plain lines are split here;
    the raw zone has the fields of those that have quotes.
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

{#- A field of a record of `exported_records`; NULL where the file has no such column. -#}
{% macro exported_field(field) -%}
    {{ element('fields', field ~ '_position') }}
{%- endmacro %}

{#- The same for a required field. In a file of unknown contents it is not missing: its column is not known. -#}
{% macro required_field(field) -%}
    case when unknown_contents is null then {{ exported_field(field) }} else 'unknown' end
{%- endmacro %}
