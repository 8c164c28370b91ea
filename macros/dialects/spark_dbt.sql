{#- What dbt itself writes for Spark, where dbt-spark's own macros do not fit this project. -#}

{#- The types of contracts and of the rows of unit tests. -#}
{% macro spark__cast(field, type) -%}
    cast({{ field }} as {{ spark__type(type) }})
{%- endmacro %}

{% macro spark__safe_cast(field, type) -%}
    {%- if spark__type(type) == 'array<string>' -%}
        {#- In a row of a unit test a list is text: [added, deleted]. It is not empty. -#}
        split(regexp_replace({{ field }}, r'^\[|\]\z', ''), ', *')
    {%- else -%}
        try_cast({{ field }} as {{ spark__type(type) }})
    {%- endif -%}
{%- endmacro %}

{#- In a literal of Spark a backslash begins an escape. -#}
{% macro spark__escape_single_quotes(text) -%}
    {{ return(text | replace("\\", "\\\\") | replace("'", "\\'")) }}
{%- endmacro %}

{% macro spark__type(type) -%}
    {{ return({
        'string[]': 'array<string>', 'timestamp with time zone': 'timestamp_ltz', 'timestamptz': 'timestamp_ltz',
        'timestamp': 'timestamp_ntz', 'integer': 'int', 'varchar': 'string',
    }.get(type | lower, type)) }}
{%- endmacro %}

{#- The rows of a seed. dbt-spark's own macro writes the text None for NULL, and fails at an apostrophe. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set rows -%}
        insert into {{ this.render() }} values
        {%- for row in agate_table.rows %}
        (
            {%- for name in agate_table.column_names -%}
                {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                cast({{ 'null' if row[name] is none else text_literal(row[name] | string) }} as {{ type }}){{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(rows, abridge_sql_log=True) -%}
    {{ return(rows) }}
{%- endmacro %}
