{#-
    dbt-duckdb's materializations build beside what exists, rename twice and drop, and append by way of a temporary
    table, for the sake of those who read meanwhile and of what is there when a statement fails. Nobody reads the file
    that a run builds, and what fails is thrown away with it: here a model is one statement, in one transaction with its
    hooks. Descriptions are written at the end of the run (`describe_models`).
-#}

{% materialization view, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='view') -%}
    {%- if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(sql) }}{%- endif -%}
    {{ build_by('create or replace view ' ~ relation ~ ' as ' ~ sql) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% materialization table, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ build_by(new_table(relation, sql)) }}
    {{ count_rows(relation) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% materialization incremental, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ build_by('insert into ' ~ relation ~ ' by name ' ~ sql if is_incremental() else new_table(relation, sql)) }}
    {{ count_rows(relation) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#-
    A table with the rows of a query. For texts that hardly repeat it names the compression that DuckDB would choose:
    otherwise DuckDB first puts each of them into a dictionary, to see whether that is smaller (4.3 million events
    written: 4.1 against 5.2 CPU-seconds).
-#}
{% macro new_table(relation, query) -%}
    {%- set unrepeated = ['event_id', 'merge_event_id', 'contact_name'] | select('in', model.columns) | list -%}
    {%- if not unrepeated or relation.database != target.database -%}
        {{ return('create or replace table ' ~ relation ~ ' as ' ~ query) }}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- for column in run_query('describe ' ~ query).rows -%}
        {%- set compression = ' using compression fsst' if column['column_name'] in unrepeated else '' -%}
        {%- do columns.append(column['column_name'] ~ ' ' ~ column['column_type'] ~ compression) -%}
    {%- endfor -%}
    {{ return('create or replace table ' ~ relation ~ ' (' ~ columns | join(', ') ~ '); insert into ' ~ relation ~ ' ' ~ query) }}
{%- endmacro %}

{#- The one statement, and the hooks around it. -#}
{% macro build_by(statement_of_model) -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}{{ statement_of_model }}{%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
{%- endmacro %}

{#- How many rows a table that will be published has now, for those who watch it grow. The file knows: no data is read. -#}
{% macro count_rows(relation) -%}
    {%- if relation.database == target.database -%}
        {%- set rows = run_query('select count(*) from ' ~ relation).columns[0].values()[0] -%}
        {%- do store_raw_result('main', message=rows ~ ' rows', code='OK', rows_affected=rows | int) -%}
    {%- endif -%}
{%- endmacro %}

{#- Called by materializations of dbt's and dbt-duckdb's: not model by model, see `describe_models`. -#}
{% macro persist_docs(relation, model, for_relation=true, for_columns=true) -%}
{%- endmacro %}

{#-
    The descriptions of the models that were built, as `persist_docs` asks for them, as comments in the database. All in
    one statement at the end of a run: dbt's own ask for the columns of each relation, and know nothing of functions.
-#}
{% macro describe_models(results) -%}
    {%- for result in results if result.status == 'success' and result.node.config.get('persist_docs') -%}
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
