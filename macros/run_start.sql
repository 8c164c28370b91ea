{#- What dbt does at the start of a run: see `on-run-start` in dbt_project.yml. -#}

{#-
    Makes room for what is built, and makes the tables of the raw zone readable. DuckDB needs neither: Python prepares its
    file, and it reads the raw zone where a model reads the source (`external_location` in models/staging/sources.yml).
-#}
{% macro begin_build() -%}
    {{ adapter.dispatch('begin_build')() }}
{%- endmacro %}

{% macro default__begin_build() -%}{%- endmacro %}
