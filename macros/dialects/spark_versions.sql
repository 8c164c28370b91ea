{#-
    Versions on Spark, which replaces no table in one step: every run builds all of them in schemas of its own, and views in
    the schema `contact_reports` are pointed at them when all tests have passed (docs/scaling.md).
-#}

{#- What the names of a version's schemas begin with. Empty for dbt outside of a run, which builds no version. -#}
{% macro schema_prefix() -%}
    {{ return(env_var('CONTACT_REPORTS_SCHEMA_PREFIX', '')) }}
{%- endmacro %}

{#- A folder below the warehouse, so that the tables lie where Python looks, whatever the metastore's own default is. -#}
{% macro make_schema(name) -%}
    {%- set folder = env_var('CONTACT_REPORTS_SPARK_WAREHOUSE', 'data/spark/warehouse') ~ '/' ~ name ~ '.db' -%}
    {%- do run_query('create schema if not exists ' ~ name ~ ' location ' ~ text_literal(folder)) -%}
{%- endmacro %}

{% macro spark__create_schema(relation) -%}
    {%- do make_schema(relation.schema) -%}
{%- endmacro %}

{% macro spark__begin_build() -%}
    {%- if execute -%}
        {%- if schema_prefix() -%}
            {%- do remove_other_versions() -%}
            {%- set published = published_state() -%}
            {%- if published and env_var('CONTACT_REPORTS_COMPARE_REJECTS', '') -%}
                {%- do remember_rejects(published.schema_prefix) -%}
            {%- endif -%}
        {%- endif -%}
        {%- do make_raw_views() -%}
    {%- endif -%}
{%- endmacro %}

{#-
    Drops all versions but this run's and those that views select from: the published one, and those to which killed runs
    moved some views.
-#}
{% macro remove_other_versions() -%}
    {%- do make_schema('contact_reports') -%}
    {%- set published = published_state() or {} -%}
    {%- set kept = [schema_prefix(), published.schema_prefix] + (published.next_schema_prefixes or '').split() -%}
    {%- for schema in run_query("show schemas like 'contact_reports_v*'").columns[0].values() -%}
        {%- set prefix = modules.re.match('contact_reports_v[0-9]+_', schema) -%}
        {%- if prefix and prefix.group() not in kept -%}
            {%- do run_query('drop schema if exists ' ~ schema ~ ' cascade') -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#-
    The published version: what the names of its schemas begin with, those of the versions to which views are moving, and a
    fingerprint of the contacts that are forgotten in it. None before the first one.
-#}
{% macro published_state() -%}
    {%- if run_query("show views in contact_reports like 'build_state'").rows -%}
        {%- set state = run_query('from contact_reports.build_state') -%}
        {{ return(dict(zip(state.column_names, state.rows[0].values()))) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{% macro set_published_state(state) -%}
    {%- set columns = [] -%}
    {%- for name, value in state.items() -%}
        {%- do columns.append(text_literal(value) ~ ' as ' ~ name) -%}
    {%- endfor -%}
    {%- do run_query('create or replace view contact_reports.build_state as select ' ~ columns | join(', ')) -%}
{%- endmacro %}

{#- The rejects of the version that is published, for `rejects_before_changes` in macros/incremental.sql. -#}
{% macro remember_rejects(former) -%}
    {%- set schema = generate_schema_name('intermediate') -%}
    {%- set rejects = api.Relation.create(schema=schema, identifier='int_rejects_before_changes', type='view') -%}
    {%- do make_schema(schema) -%}
    {%- do run_query(
        'create or replace view ' ~ rejects ~ ' as select file_id, source_line, reject_reason from '
        ~ former ~ 'intermediate.int_rejected_records'
    ) -%}
    {%- do adapter.cache_added(rejects) -%}
{%- endmacro %}

{#- Views over the files of the raw zone. -#}
{% macro make_raw_views() -%}
    {%- do make_schema(generate_schema_name('raw')) -%}
    {%- for source in graph.sources.values() if source.source_name == 'raw' -%}
        {%- set files = env_var('CONTACT_REPORTS_RAW', 'data/raw') ~ '/batches-*/' ~ source.name ~ '-*.parquet' -%}
        {%- do run_query(
            'create or replace view ' ~ generate_schema_name('raw') ~ '.' ~ source.name
            ~ ' as select * from parquet.`' ~ files | replace('`', '``') ~ '`'
        ) -%}
    {%- endfor -%}
{%- endmacro %}

{#-
    Replaces the views that readers know by views that select from this version, if nothing failed. Meanwhile the state names
    both versions, and both are there.
-#}
{% macro spark__complete_build(results) -%}
    {%- if execute and schema_prefix() and not has_failures(results) -%}
        {%- set own = {
            'schema_prefix': schema_prefix(), 'next_schema_prefixes': '',
            'forgotten': env_var('CONTACT_REPORTS_FORGOTTEN'),
        } -%}
        {%- set former = published_state() or own -%}
        {%- set next_prefixes = former.next_schema_prefixes.split() + [schema_prefix()] -%}
        {%- do set_published_state(dict(former, next_schema_prefixes=next_prefixes | join(' '))) -%}
        {%- set names = ['build_state'] -%}
        {%- for model in graph.nodes.values() if model.config.get('meta', {}).get('comment_in_database') == 'published' -%}
            {%- do names.append(model.alias) -%}
            {%- do run_query(
                'create or replace view contact_reports.' ~ model.alias
                ~ ' as select * from ' ~ model.schema ~ '.' ~ model.alias
            ) -%}
        {%- endfor -%}
        {%- for name in run_query('show views in contact_reports').columns['viewName'].values() if name not in names -%}
            {%- do run_query('drop view contact_reports.' ~ name) -%}
        {%- endfor -%}
        {%- do set_published_state(own) -%}
        {#- A contact that was forgotten since must not stay in the version before. -#}
        {%- if former.forgotten != own.forgotten -%}
            {%- do remove_other_versions() -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
