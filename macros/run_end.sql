{#- What dbt does at the end of a run: see `on-run-end` in dbt_project.yml. -#}

{#-
    Writes the descriptions of the models and seeds that were built into the database, as comments. What readers of the
    published file can ignore has a comment that begins with "Private:". One statement for all: `persist_docs` asks for the
    columns of each relation, and fails on table functions.
-#}
{% macro describe_models(results) -%}
    {%- for result in results if result.status == 'success' -%}
        {%- set node = result.node -%}
        {%- set visibility = node.config.meta.get('comment_in_database') -%}
        {%- set kind = {'view': 'view', 'table_function': 'macro table'}.get(node.config.materialized, 'table') -%}
        {%- set relation = node.database ~ '.' ~ node.schema ~ '.' ~ node.alias -%}
        {%- if visibility in ['private', 'published'] -%}
            {%- set description = ('Private: ' if visibility == 'private' else '') ~ node.description | trim -%}
        comment on {{ kind }} {{ relation }} is {{ dbt.string_literal(dbt.escape_single_quotes(description)) }};
        {%- endif -%}
        {%- if visibility == 'published' and kind != 'macro table' -%}
            {%- for column in node.columns.values() -%}
        comment on column {{ relation }}.{{ column.name }} is {{ dbt.string_literal(dbt.escape_single_quotes(column.description | trim)) }};
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#-
    Writes all that was built into the database file, if nothing failed. Without it DuckDB writes the file when dbt closes
    it, and an error there (a full disk) is not reported.
-#}
{% macro write_database_file(results) -%}
    {%- if target.type == 'duckdb' and not results | selectattr('status', 'in', ['error', 'fail', 'runtime error', 'skipped']) | list -%}
        checkpoint {{ target.database }}
    {%- endif -%}
{%- endmacro %}
