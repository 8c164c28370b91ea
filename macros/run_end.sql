{#- What dbt does at the end of a run: see `on-run-end` in dbt_project.yml. -#}

{#-
    Writes the descriptions of the models and seeds that were built into the database, as comments. What readers of the
    published file can ignore has a comment that begins with "Private:". One statement for all: `persist_docs` asks for the
    columns of each relation, and fails on table functions. Tables that were not built but copied from a version of Spark's
    (orchestration/lib/warehouse/from_version.py) are described as well.
-#}
{% macro describe_models(results) -%}
    {{ adapter.dispatch('describe_models')(results) }}
{%- endmacro %}

{% macro default__describe_models(results) -%}{%- endmacro %}

{% macro duckdb__describe_models(results) -%}
    {%- set nodes = results | selectattr('status', 'equalto', 'success') | map(attribute='node') | list -%}
    {%- if execute and env_var('CONTACT_REPORTS_TABLES_ARE_COPIED', '') -%}
        {%- do nodes.extend(graph.nodes.values() | selectattr('config.materialized', 'in', ['table', 'incremental', 'seed'])) -%}
    {%- endif -%}
    {%- for node in nodes -%}
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
    Completes what was built, if nothing failed. DuckDB writes it into the file: otherwise DuckDB writes the file when dbt
    closes it, and an error there (a full disk) is not reported.
-#}
{% macro complete_build(results) -%}
    {{ adapter.dispatch('complete_build')(results) }}
{%- endmacro %}

{% macro default__complete_build(results) -%}{%- endmacro %}

{% macro duckdb__complete_build(results) -%}
    {%- if not has_failures(results) -%}
        checkpoint {{ target.database }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a model, a seed or a test failed. -#}
{% macro has_failures(results) -%}
    {{ return(results | selectattr('status', 'in', ['error', 'fail', 'runtime error', 'skipped']) | list | length > 0) }}
{%- endmacro %}
