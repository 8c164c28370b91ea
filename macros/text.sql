{#- How landed text is read (contract 2, canonical event). -#}

{#- White space as Unicode has it, for a regular expression's character class. -#}
{% macro white_space() -%}
    \s\x0b\x1c-\x1f\x85\p{Z}
{%- endmacro %}

{#- Text without white space around it; NULL when nothing is left. Most values need no copy, and get none. -#}
{% macro trimmed(column) -%}
    case
        when {{ column }} = '' then null
        when not {{ matches(column, '^[' ~ white_space() ~ ']|[' ~ white_space() ~ ']$') }} then {{ column }}
        else nullif({{ replace_matches(column, '^[' ~ white_space() ~ ']+|[' ~ white_space() ~ ']+$', '') }}, '')
    end
{%- endmacro %}

{#- Whether text is an id: digits, with the `.0` that spreadsheets append. -#}
{% macro is_id(column) -%}
    {{ matches(column, '^[0-9]+([.]0)?$') }}
{%- endmacro %}

{#- An id as a number; NULL when it is none or beyond 2^63 - 1. Guarded, as a cast would take `1e3` and `+5`. -#}
{% macro id_number(column) -%}
    case
        when {{ is_id(column) }}
            then try_cast(case when {{ column }} like '%.0' then split_part({{ column }}, '.', 1) else {{ column }} end as bigint)
    end
{%- endmacro %}

{#- An id as text, without leading zeros and `.0`; what is no id stays as it is. -#}
{% macro id_text(column) -%}
    case
        when {{ is_id(column) }} then coalesce(nullif(ltrim(split_part({{ column }}, '.', 1), '0'), ''), '0')
        else {{ column }}
    end
{%- endmacro %}

{#- What spellings of a source have in common: lower case, any run of spaces, - or _ being one separator. -#}
{% macro source_spelling(column) -%}
    {{ replace_matches('lower(' ~ column ~ ')', '[' ~ white_space() ~ '_-]+', ' ') }}
{%- endmacro %}

{#- A time as the contract takes it: a date, T or a space, hours and minutes, seconds or not, and an offset. -#}
{% macro iso_8601_with_offset() -%}
    {%- set date = '[0-9]{4}-[0-9]{2}-[0-9]{2}' -%}
    {%- set hours_and_minutes = '([01][0-9]|2[0-3]):[0-5][0-9]' -%}
    {%- set seconds = '(:[0-5][0-9]([.][0-9]+)?)?' -%}
    {%- set offset = '(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)' -%}
    ^{{ date }}[T ]{{ hours_and_minutes }}{{ seconds }}{{ offset }}$
{%- endmacro %}

{#- What spellings of a name have in common for somebody who searches: neither case nor accents. -#}
{% macro plain_letters(column) -%}
    lower({{ without_accents(column) }})
{%- endmacro %}
