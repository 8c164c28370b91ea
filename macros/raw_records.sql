{#-
    A record of a Parquet file as JSON: the fields as landed, numbers as numbers, and the other fields of the file. Only
    rejected records of Parquet files need it: the raw zone keeps each record of a text file as it was.
-#}
{% macro record_as_json() -%}
    '{' || trim(trailing ',' from
        {%- for field in [
            'event_id', 'event_type', 'occurred_at', 'contact_id', 'contact_name', 'source', 'user_id', 'channel_id',
            'merged_contact_id'
        ] %}
        case
            when landed_{{ field }} is null then ''
            when
                (',' || number_fields || ',') like '%,{{ field }},%'
                and {{ matches('landed_' ~ field, '^-?[0-9]+([.][0-9]+)?(e[+-]?[0-9]+)?$|^true$|^false$') }}
                then '"{{ field }}":' || landed_{{ field }} || ','
            else '"{{ field }}":' || {{ as_json('landed_' ~ field) }} || ','
        end ||
        {%- endfor %}
        coalesce(substr(extra_fields, 2, length(extra_fields) - 2), '')
    ) || '}'
{%- endmacro %}
