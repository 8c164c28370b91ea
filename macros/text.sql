{#- How landed text is read (contract 2, canonical event). -#}

{#- White space as Unicode has it, for a regular expression's character class. -#}
{% macro white_space() -%}
    \s\x0b\x1c-\x1f\x85\p{Z}
{%- endmacro %}

{#- Text without white space around it; NULL when nothing is left. Most values need no copy, and get none. -#}
{% macro trimmed(column) -%}
    case
        when {{ begins_with_ascii(column) }} and {{ last_character(column) }} between '!' and '~' then {{ column }}
        else {{ trimmed_word(column) }}
    end
{%- endmacro %}

{#-
    The same for a column of few values: DuckDB applies a function once to each value of a Parquet dictionary, but a CASE
    to every row (2 million user ids: 0.01 against 0.08 CPU-seconds).
-#}
{% macro trimmed_word(column) -%}
    nullif({{ replace_matches(column, '^[' ~ white_space() ~ ']+|[' ~ white_space() ~ ']+$', '') }}, '')
{%- endmacro %}

{#- Whether there is more than white space. -#}
{% macro has_text(column) -%}
    case when {{ begins_with_ascii(column) }} then true else {{ trimmed_word(column) }} is not null end
{%- endmacro %}

{#- Text whose first character is a visible one of ASCII, as nearly all is. (Text that begins with ~ may be more than ~.) -#}
{% macro begins_with_ascii(column) -%}
    {{ column }} between '!' and '~'
{%- endmacro %}

{#- Whether text is an id: digits, with the `.0` that spreadsheets append. -#}
{% macro is_id(column) -%}
    {{ matches(column, '^[0-9]+([.]0)?$') }}
{%- endmacro %}

{#- An id as a number; NULL when it is none or beyond 2^63 - 1. Guarded, as a cast would take `1e3` and `+5`. -#}
{% macro id_number(column) -%}
    case
        when {{ matches(column, '^[0-9]{1,18}$') }} then try_cast({{ column }} as bigint)
        when {{ is_id(trimmed(column)) }} then try_cast({{ id_text(column) }} as bigint)
    end
{%- endmacro %}

{#- An id as text, without leading zeros and `.0`; what is no id stays as it is. -#}
{% macro id_text(column) -%}
    {{ replace_matches(trimmed_word(column), '^0*([0-9]+?)([.]0)?$', first_group()) }}
{%- endmacro %}

{#-
    Whether an id is in the scientific notation of a spreadsheet, which has shortened it. Nearly no id has a `+`, which is
    found faster than that a pattern does not match. `1e3` may be an id.
-#}
{% macro is_shortened_id(column) -%}
    {%- set space = '[' ~ white_space() ~ ']*' -%}
    coalesce(
        contains({{ column }}, '+') and {{ matches(column, '^' ~ space ~ '[0-9]([.,][0-9]+)?[eE][+][0-9]+' ~ space ~ '$') }},
        false
    )
{%- endmacro %}

{#-
    What spellings of a source have in common: lower case, no accents, one kind of apostrophe, any run of spaces, - or _
    being one separator. Without a CASE, so that DuckDB does it once for each value of a dictionary (see `trimmed_word`).
-#}
{% macro source_spelling(column) -%}
    {%- set plain = replace_matches('lower(' ~ without_accents(column) ~ ')', '[' ~ apostrophes() ~ ']', "''") -%}
    {{ replace_matches(plain, '[' ~ white_space() ~ '_-]+', ' ') }}
{%- endmacro %}

{#- What people and programs write for an apostrophe, for a regular expression's character class. -#}
{% macro apostrophes() -%}
    `´‘’‛′‵ʹʻʼʽˈˊˋꞌ＇
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
    nullif({{ trimmed(column) }}, '-')
{%- endmacro %}

{#- The same for a column of few values. -#}
{% macro export_word(column) -%}
    nullif({{ trimmed_word(column) }}, '-')
{%- endmacro %}

{#- The same for a name, which keeps its white space. -#}
{% macro export_name(column) -%}
    case when {{ trimmed(column) }} = '-' then null else {{ column }} end
{%- endmacro %}

{#- A value of a report log without the apostrophe that keeps a spreadsheet from taking it for a formula. -#}
{% macro unguarded(column) -%}
    {{ replace_matches(column, "^''([=+@-])", first_group()) }}
{%- endmacro %}

{#- First and last name as one; NULL when there is neither. -#}
{% macro full_name(first_name, last_name) -%}
    {{ trimmed('(coalesce(' ~ first_name ~ ", '') || ' ' || coalesce(" ~ last_name ~ ", ''))") }}
{%- endmacro %}

{#- A file's name without its folders, in lower case. -#}
{% macro base_name(path) -%}
    lower({{ replace_matches(path, '^.*/', '') }})
{%- endmacro %}
