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

{#- A time as the contract takes it: a date, T or a space, hours and minutes, seconds or not; then an offset. -#}
{% macro iso_8601_with_offset() -%}
    ^{{ iso_8601_date_and_time() }}(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)$
{%- endmacro %}

{#- The same without an offset: what a clock on the wall showed. -#}
{% macro iso_8601_without_offset() -%}
    ^{{ iso_8601_date_and_time() }}$
{%- endmacro %}

{% macro iso_8601_date_and_time() -%}
    [0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?
{%- endmacro %}

{#- A value of an export, in which `-` is nothing. -#}
{% macro export_text(column) -%}
    case when {{ trimmed(column) }} = '-' then null else {{ column }} end
{%- endmacro %}

{#- The same of a report log, without the apostrophe that keeps a spreadsheet from taking it for a formula. -#}
{% macro unguarded(column) -%}
    case
        when {{ trimmed(column) }} = '-' then null
        when {{ matches(column, "^''[=+@-]") }} then substr({{ column }}, 2)
        else {{ column }}
    end
{%- endmacro %}

{#- First and last name as one; NULL when there is neither. -#}
{% macro full_name(first_name, last_name) -%}
    {{ trimmed('(coalesce(' ~ first_name ~ ", '') || ' ' || coalesce(" ~ last_name ~ ", ''))") }}
{%- endmacro %}

{#- A file's name without its folders, in lower case. -#}
{% macro base_name(path) -%}
    lower({{ replace_matches(path, '^.*/', '') }})
{%- endmacro %}

{#- What spellings of a name have in common for somebody who searches: neither case nor accents. -#}
{% macro plain_letters(column) -%}
    lower({{ without_accents(column) }})
{%- endmacro %}
