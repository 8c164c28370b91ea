{#- SQL on values, lists and rows that engines write differently: dispatched to macros/dialects/<engine>.sql. -#}

{#- The number of a row in its table. It identifies the row within one statement. -#}
{% macro number_of_row() -%}
    {{ adapter.dispatch('number_of_row')() }}
{%- endmacro %}

{#-
    Values → a hash of 8 bytes. Equal values have equal hashes. Different values may, too, so every match has to be
    checked.
-#}
{% macro hash_of(columns) -%}
    {{ adapter.dispatch('hash_of')(columns) }}
{%- endmacro %}

{#- The sum of a number of equal hashes. -#}
{% macro hash_times(hash, number) -%}
    {{ adapter.dispatch('hash_times')(hash, number) }}
{%- endmacro %}

{#- The sum of hashes, as `hash_of` and `hash_times` return them. -#}
{% macro sum_of_hashes(hashes) -%}
    {{ adapter.dispatch('sum_of_hashes')(hashes) }}
{%- endmacro %}

{#- Values that compare like a tuple: the first decides, then the second. -#}
{% macro composite(columns) -%}
    {{ adapter.dispatch('composite')(columns) }}
{%- endmacro %}

{#- A value that orders records by instant, and those of the same instant by when they were loaded. -#}
{% macro recency(instant, file_id, source_line) -%}
    {{ adapter.dispatch('recency')(instant, file_id, source_line) }}
{%- endmacro %}

{#-
    A text that has few values, stored compactly. Published views cast it to text. With `try_cast`, NULL where it has none of
    the values.
-#}
{% macro one_of_values(column, values, cast='cast') -%}
    {{ adapter.dispatch('one_of_values')(column, values, cast) }}
{%- endmacro %}

{#- The same for the values of a seed's column. The model has to depend on the seed. -#}
{% macro one_of(column, seed, key) -%}
    {{ one_of_values(column, values_in('seeds', seed, key)) }}
{%- endmacro %}

{#- The workspace; NULL where `workspaces.csv` does not list it. A change of that file causes a full refresh. -#}
{% macro listed_workspace(column) -%}
    {{ one_of_values(column, values_in('staging', 'stg_workspaces', 'workspace_id'), cast='try_cast') }}
{%- endmacro %}

{#- The values of a column. Empty while dbt parses, and where the table does not exist yet. -#}
{% macro values_in(schema, table, column) -%}
    {%- set relation = none -%}
    {%- if execute -%}
        {%- set relation = adapter.get_relation(
            database=target.database, schema=generate_schema_name(schema), identifier=table
        ) -%}
    {%- endif -%}
    {%- if relation is none -%}
        {{ return([]) }}
    {%- endif -%}
    {{ return(run_query('select distinct ' ~ column ~ ' from ' ~ relation ~ ' order by 1').columns[0].values()) }}
{%- endmacro %}

{#- In a select list: a row for each whole number from the first to the last. -#}
{% macro each_number(first, last) -%}
    {{ adapter.dispatch('each_number')(first, last) }}
{%- endmacro %}

{#- The value of a list at a position, counted from 1. NULL where the position is NULL or beyond the end. -#}
{% macro element(list, position) -%}
    {{ adapter.dispatch('element')(list, position) }}
{%- endmacro %}

{#- In a select list: a row for each value of a list, with its position, counted from 1. -#}
{% macro each_element(list, value, position) -%}
    {{ adapter.dispatch('each_element')(list, value, position) }}
{%- endmacro %}

{#- The number of values in a list. -#}
{% macro list_length(list) -%}
    {{ adapter.dispatch('list_length')(list) }}
{%- endmacro %}

{#- An aggregate: the values of a group as a sorted list. -#}
{% macro sorted_list(value) -%}
    {{ adapter.dispatch('sorted_list')(value) }}
{%- endmacro %}

{#- At the end of the query of a table: the order in which its rows are stored. -#}
{% macro storage_order(columns) -%}
    {{ adapter.dispatch('storage_order')(columns) }}
{%- endmacro %}
