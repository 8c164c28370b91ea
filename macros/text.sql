{#- How landed text is read (contract 2, canonical event). -#}

{#- White space as in Unicode, for the character class of a regular expression. -#}
{% macro white_space() -%}
    \s\x0b\x1c-\x1f\x85\p{Z}
{%- endmacro %}

{#- Text without white space around it. NULL when nothing is left. Most values have none, and are not copied. -#}
{% macro trimmed(column) -%}
    case
        when {{ begins_with_ascii(column) }} and {{ last_character(column) }} between '!' and '~' then {{ column }}
        else {{ trimmed_word(column) }}
    end
{%- endmacro %}

{#-
    The same for a column with few values: DuckDB applies a function once to each value of a Parquet dictionary, but a CASE
    to every row (2 million user ids: 0.01 against 0.08 CPU-seconds).
-#}
{% macro trimmed_word(column) -%}
    nullif({{ replace_matches(column, '^[' ~ white_space() ~ ']+|[' ~ white_space() ~ ']+$', '') }}, '')
{%- endmacro %}

{#- Whether a text has more than white space. -#}
{% macro has_text(column) -%}
    case when {{ begins_with_ascii(column) }} then true else {{ trimmed_word(column) }} is not null end
{%- endmacro %}

{#-
    Whether the first character is a visible ASCII character, as in nearly all values. False for a text that goes on
    after `~`.
-#}
{% macro begins_with_ascii(column) -%}
    {{ column }} between '!' and '~'
{%- endmacro %}

{#- Whether text is an id: digits, also with the `.0` that spreadsheets append. -#}
{% macro is_id(column) -%}
    {{ matches(column, '^[0-9]+([.]0)?$') }}
{%- endmacro %}

{#- An id as a number. NULL when it is not an id, or is above 2^63 - 1. A cast alone would accept `1e3` and `+5`. -#}
{% macro id_number(column) -%}
    case
        when {{ matches(column, '^[0-9]{1,18}$') }} then try_cast({{ column }} as bigint)
        when {{ is_id(trimmed(column)) }} then try_cast({{ id_text(column) }} as bigint)
    end
{%- endmacro %}

{#- An id as text, without leading zeros and `.0`. A text that is not an id stays as it is. -#}
{% macro id_text(column) -%}
    {{ replace_matches(trimmed_word(column), '^0*([0-9]+?)([.]0)?$', first_group()) }}
{%- endmacro %}

{#-
    Whether a spreadsheet has shortened an id to scientific notation. Nearly no id has a `+`, and looking for it first is
    faster than the pattern. `1e3` without a `+` may be an id.
-#}
{% macro is_shortened_id(column) -%}
    {%- set space = '[' ~ white_space() ~ ']*' -%}
    coalesce(
        contains({{ column }}, '+') and {{ matches(column, '^' ~ space ~ '[0-9]([.,][0-9]+)?[eE][+][0-9]+' ~ space ~ '$') }},
        false
    )
{%- endmacro %}

{#-
    A source in the form that its spellings share: lower case, no accents, one kind of apostrophe, and one space for any run
    of spaces, - or _. It has no CASE, so DuckDB applies it once to each value of a dictionary (see `trimmed_word`).
-#}
{% macro source_spelling(column) -%}
    {%- set plain = replace_matches('lower(' ~ without_accents(column) ~ ')', '[' ~ apostrophes() ~ ']', "'") -%}
    {{ replace_matches(plain, '[' ~ white_space() ~ '_-]+', ' ') }}
{%- endmacro %}

{#- The characters that are written for an apostrophe, for the character class of a regular expression. -#}
{% macro apostrophes() -%}
    `´‘’‛′‵ʹʻʼʽˈˊˋꞌ＇
{%- endmacro %}

{#- A time that the contract accepts: a date, T or a space, hours and minutes, optional seconds, and an offset. -#}
{% macro iso_8601_with_offset() -%}
    ^{{ iso_8601_date_and_time() }}(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)$
{%- endmacro %}

{#- The same without an offset: a wall clock. -#}
{% macro iso_8601_without_offset() -%}
    ^{{ iso_8601_date_and_time() }}$
{%- endmacro %}

{% macro iso_8601_date_and_time() -%}
    [0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?
{%- endmacro %}

{#- A value of an export. `-` is NULL. -#}
{% macro export_text(column) -%}
    nullif({{ trimmed(column) }}, '-')
{%- endmacro %}

{#- The same for a column with few values. -#}
{% macro export_word(column) -%}
    nullif({{ trimmed_word(column) }}, '-')
{%- endmacro %}

{#- The same for a name, which keeps its white space. -#}
{% macro export_name(column) -%}
    case when {{ trimmed(column) }} = '-' then null else {{ column }} end
{%- endmacro %}

{#- A value of a report log without the apostrophe that keeps a spreadsheet from reading it as a formula. -#}
{% macro unguarded(column) -%}
    {{ replace_matches(column, "^'([=+@-])", first_group()) }}
{%- endmacro %}

{#- First and last name as one text. NULL when there is neither. -#}
{% macro full_name(first_name, last_name) -%}
    {{ trimmed('(coalesce(' ~ first_name ~ ", '') || ' ' || coalesce(" ~ last_name ~ ", ''))") }}
{%- endmacro %}

{#- A file's name without its folders, in lower case. -#}
{% macro base_name(path) -%}
    lower({{ replace_matches(path, '^.*/', '') }})
{%- endmacro %}
