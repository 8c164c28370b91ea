{#- SQL on text that engines write differently: dispatched to macros/dialects/<engine>.sql. -#}

{#- Whether a text has a match of a regular expression. `$` is the very end of the text. -#}
{% macro matches(column, pattern) -%}
    {{ adapter.dispatch('matches')(column, pattern) }}
{%- endmacro %}

{#- Text with every match of a regular expression replaced. -#}
{% macro replace_matches(column, pattern, replacement) -%}
    {{ adapter.dispatch('replace_matches')(column, pattern, replacement) }}
{%- endmacro %}

{#- In a replacement: the text that the first group of the pattern matched. -#}
{% macro first_group() -%}
    {{ adapter.dispatch('first_group')() }}
{%- endmacro %}

{#- Text → its last character. -#}
{% macro last_character(column) -%}
    {{ adapter.dispatch('last_character')(column) }}
{%- endmacro %}

{#- A text as an SQL literal. -#}
{% macro text_literal(text) -%}
    {{ adapter.dispatch('text_literal')(text) }}
{%- endmacro %}

{#- Text without the accents of its letters, composed or decomposed. -#}
{% macro without_accents(column) -%}
    {{ adapter.dispatch('without_accents')(column) }}
{%- endmacro %}

{#- Text → a JSON string. -#}
{% macro as_json(text) -%}
    {{ adapter.dispatch('as_json')(text) }}
{%- endmacro %}

{#- The value of a name in the last object of a JSON list. -#}
{% macro last_in_json_list(list, name) -%}
    {{ adapter.dispatch('last_in_json_list')(list, name) }}
{%- endmacro %}

{#- Text → a list of its parts between the delimiters. -#}
{% macro split_text(text, delimiter) -%}
    {{ adapter.dispatch('split_text')(text, delimiter) }}
{%- endmacro %}

{#- Words with spaces between them → a list. -#}
{% macro words(column) -%}
    {{ adapter.dispatch('words')(column) }}
{%- endmacro %}

{#- A list → its values as one text. -#}
{% macro joined_text(list, separator) -%}
    {{ adapter.dispatch('joined_text')(list, separator) }}
{%- endmacro %}

{#- The ISO dates in the name of a file, as a list in their order. NULL for a text of that form that is not a date. -#}
{% macro dates_in_name(path) -%}
    {{ adapter.dispatch('dates_in_name')(path) }}
{%- endmacro %}
