{#- SQL that only table functions need. Only DuckDB has table functions, so no other engine has these macros. -#}

{#- Whether the engine has table functions. -#}
{% macro has_table_functions() -%}
    {{ return(adapter.dispatch('has_table_functions')()) }}
{%- endmacro %}

{% macro default__has_table_functions() -%}
    {{ return(false) }}
{%- endmacro %}

{#- The same day of the month, some months before; the last day of that month where it has no such day. -#}
{% macro months_before(date, months) -%}
    {{ adapter.dispatch('months_before')(date, months) }}
{%- endmacro %}

{#- A list of texts. -#}
{% macro list_of(texts) -%}
    {{ adapter.dispatch('list_of')(texts) }}
{%- endmacro %}

{#- Whether a list has all elements of another one that are not NULL. -#}
{% macro contains_all(list, elements) -%}
    {{ adapter.dispatch('contains_all')(list, elements) }}
{%- endmacro %}

{#- Whether a list has a value. NULL counts as a value, unlike in `list_contains`. -#}
{% macro has_value(list, value) -%}
    {{ adapter.dispatch('has_value')(list, value) }}
{%- endmacro %}

{#- Whether text has ASCII characters only. -#}
{% macro is_ascii(column) -%}
    {{ adapter.dispatch('is_ascii')(column) }}
{%- endmacro %}

{#- Whether text has combining marks that do not belong to a letter. -#}
{% macro has_marks_alone(column) -%}
    {{ adapter.dispatch('has_marks_alone')(column) }}
{%- endmacro %}

{#-
    Text letter by letter: lower case, decomposed, without U+0300 to U+036F, with all other marks. `special` lists letters
    with their replacements (macros/letters.sql).
-#}
{% macro decomposed_letter_by_letter(column, special) -%}
    {{ adapter.dispatch('decomposed_letter_by_letter')(column, special) }}
{%- endmacro %}

{#- For other engines: dbt parses the table functions before it leaves them out. -#}
{% macro default__months_before(date, months) -%}{%- endmacro %}
{% macro default__list_of(texts) -%}{%- endmacro %}
{% macro default__contains_all(list, elements) -%}{%- endmacro %}
{% macro default__has_value(list, value) -%}{%- endmacro %}
{% macro default__is_ascii(column) -%}{%- endmacro %}
{% macro default__has_marks_alone(column) -%}{%- endmacro %}
{% macro default__decomposed_letter_by_letter(column, special) -%}{%- endmacro %}
