{#- What dbt does at the end of a run: see `on-run-end` in dbt_project.yml. -#}

{#-
    Writes the descriptions of the models that were built into the database, as comments. One statement for all models:
    `persist_docs` asks for the columns of each relation, and fails on table functions.
-#}
{% macro describe_models(results) -%}
    {%- for result in results if result.status == 'success' and result.node.config.meta.get('is_described_in_database') -%}
        {%- set node = result.node -%}
        {%- set kind = {'view': 'view', 'table_function': 'macro table'}.get(node.config.materialized, 'table') -%}
        {%- set relation = node.database ~ '.' ~ node.schema ~ '.' ~ node.alias -%}
        comment on {{ kind }} {{ relation }} is {{ dbt.string_literal(dbt.escape_single_quotes(node.description | trim)) }};
        {%- if kind != 'macro table' -%}
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
