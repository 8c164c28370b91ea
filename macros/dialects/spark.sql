{#-
    How Spark writes the SQL that macros/dialects/dispatch_*.sql dispatch. The session's zone is UTC (profiles.yml): cast to
    `timestamp_ltz`, a wall clock is the instant at which clocks in UTC show it.
-#}

{#- `(?d)` is for the dot: it matches all but a line feed, as in DuckDB. -#}
{% macro spark__pattern(pattern) -%}
    r'(?d){{ pattern | replace("$", "\\z") | replace("'", "\\x27") }}'
{%- endmacro %}

{% macro spark__matches(column, pattern) -%}
    (({{ column }}) rlike {{ spark__pattern(pattern) }})
{%- endmacro %}

{% macro spark__replace_matches(column, pattern, replacement) -%}
    regexp_replace({{ column }}, {{ spark__pattern(pattern) }}, {{ text_literal(replacement) }})
{%- endmacro %}

{% macro spark__first_group() -%}
    $1
{%- endmacro %}

{% macro spark__last_character(column) -%}
    right({{ column }}, 1)
{%- endmacro %}

{% macro spark__text_literal(text) -%}
    '{{ spark__escape_single_quotes(text) }}'
{%- endmacro %}

{#- Spark makes JSON of lists and objects only. -#}
{% macro spark__as_json(text) -%}
    regexp_extract(to_json(array({{ text }})), r'(?s)^\[(.*)\]\z', 1)
{%- endmacro %}

{% macro spark__last_in_json_list(list, name) -%}
    get_json_object({{ list }}, '$[' || (json_array_length({{ list }}) - 1) || '].{{ name }}')
{%- endmacro %}

{% macro spark__split_text(text, delimiter) -%}
    split({{ text }}, r'\Q' || {{ delimiter }} || r'\E')
{%- endmacro %}

{% macro spark__words(column) -%}
    split({{ column }}, ' ')
{%- endmacro %}

{% macro spark__joined_text(list, separator) -%}
    array_join({{ list }}, {{ separator }})
{%- endmacro %}

{% macro spark__dates_in_name(path) -%}
    transform(
            regexp_extract_all({{ base_name(path) }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}', 0), found -> try_cast(found as date)
        )
{%- endmacro %}

{% macro spark__current_instant() -%}
    now()
{%- endmacro %}

{% macro spark__no_instant() -%}
    cast(null as timestamp_ltz)
{%- endmacro %}

{% macro spark__beginning_of_time() -%}
    timestamp_ltz '1900-01-01 00:00:00+00:00'
{%- endmacro %}

{% macro spark__end_of_time() -%}
    timestamp_ltz '9999-12-31 23:59:59+00:00'
{%- endmacro %}

{#- The wall clock minus the offset: Spark's own cast accepts no offset beyond 18 hours. -#}
{% macro spark__instant_from_text(column) -%}
    {%- set form = "r'(Z|[+-][0-9]{2}(:?[0-9]{2})?)\\z'" -%}
    {%- set digits = "replace(regexp_extract(" ~ column ~ ", " ~ form ~ ", 0), ':', '')" -%}
    timestamp_micros(
        {{ wall_clock_microseconds_from_text('regexp_replace(' ~ column ~ ', ' ~ form ~ ", '')") }}
        - case
            when {{ digits }} = 'Z' then 0
            else
                case when left({{ digits }}, 1) = '-' then -1 else 1 end * (
                    cast(substr({{ digits }}, 2, 2) as bigint) * 3600
                    + cast(rpad(substr({{ digits }}, 4), 2, '0') as bigint) * 60
                ) * 1000000
        end
    )
{%- endmacro %}

{% macro spark__wall_clock_microseconds_from_text(column) -%}
    unix_micros(cast(try_cast(regexp_replace({{ column }}, r'([.][0-9]{6})[0-9]+\z', '$1') as timestamp_ntz) as timestamp_ltz))
{%- endmacro %}

{#- Of a time that the clock shows twice, the first one. -#}
{% macro spark__instant_of(wall_clock, zone) -%}
    to_utc_timestamp(cast({{ wall_clock }} as timestamp_ltz), {{ zone }})
{%- endmacro %}

{% macro spark__instant_from_microseconds(microseconds) -%}
    timestamp_micros({{ microseconds }})
{%- endmacro %}

{% macro spark__microseconds(instant) -%}
    unix_micros(cast({{ instant }} as timestamp_ltz))
{%- endmacro %}

{% macro spark__wall_clock(microseconds) -%}
    cast(timestamp_micros({{ microseconds }}) as timestamp_ntz)
{%- endmacro %}

{% macro spark__local_time(instant, zone) -%}
    cast(from_utc_timestamp({{ instant }}, {{ zone }}) as timestamp_ntz)
{%- endmacro %}

{% macro spark__midnight_utc(date) -%}
    cast({{ date }} as timestamp_ltz)
{%- endmacro %}

{% macro spark__days(first, last) -%}
    select {{ spark__each_day(first, last) }} as date_day
{%- endmacro %}

{% macro spark__each_day(first, last) -%}
    explode(sequence({{ first }}, {{ last }}, interval '1' day))
{%- endmacro %}

{% macro spark__days_from(earlier, later) -%}
    datediff({{ later }}, {{ earlier }})
{%- endmacro %}

{% macro spark__iso_day_of_week(date) -%}
    weekday({{ date }}) + 1
{%- endmacro %}

{% macro spark__unit_start(date, unit, offset) -%}
    cast(case {{ unit }}
        when 'day' then date_add({{ date }}, {{ offset }})
        when 'week' then date_add(trunc({{ date }}, 'week'), 7 * {{ offset }})
        when 'month' then add_months(trunc({{ date }}, 'month'), {{ offset }})
        when 'quarter' then add_months(trunc({{ date }}, 'quarter'), 3 * {{ offset }})
        when 'year' then add_months(trunc({{ date }}, 'year'), 12 * {{ offset }})
    end as date)
{%- endmacro %}

{% macro spark__number_of_row() -%}
    struct(file_id, source_line)
{%- endmacro %}

{#- xxhash64 passes over a NULL, so the hash includes which values are NULL. -#}
{% macro spark__hash_of(columns) -%}
    xxhash64({% for column in columns %}{{ column }}, {{ column }} is null{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- Decimals: sums of 8 bytes overflow, which is an error. -#}
{% macro spark__hash_times(hash, number) -%}
    cast({{ hash }} as decimal(20, 0)) * cast({{ number }} as decimal(17, 0))
{%- endmacro %}

{% macro spark__sum_of_hashes(hashes) -%}
    sum(cast({{ hashes }} as decimal(38, 0)))
{%- endmacro %}

{% macro spark__composite(columns) -%}
    struct({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__recency(instant, file_id, source_line) -%}
    struct({{ instant }}, {{ file_id }}, {{ source_line }})
{%- endmacro %}

{#- Parquet has dictionaries of its own. -#}
{% macro spark__one_of_values(column, values, cast) -%}
    {%- if values and cast == 'try_cast' -%}
        case when {{ column }} in ({% for value in values %}{{ text_literal(value) }}{{ ', ' if not loop.last }}{% endfor %}) then {{ column }} end
    {%- else -%}
        cast({{ column }} as string)
    {%- endif -%}
{%- endmacro %}

{% macro spark__each_number(first, last) -%}
    explode(sequence({{ first }}, {{ last }}))
{%- endmacro %}

{% macro spark__element(list, position) -%}
    try_element_at({{ list }}, cast({{ position }} as int))
{%- endmacro %}

{% macro spark__each_element(list, value, position) -%}
    inline(transform({{ list }}, (value, i) -> named_struct('{{ value }}', value, '{{ position }}', cast(i + 1 as bigint))))
{%- endmacro %}

{% macro spark__list_length(list) -%}
    size({{ list }})
{%- endmacro %}

{% macro spark__sorted_list(value) -%}
    sort_array(collect_list({{ value }}))
{%- endmacro %}

{#- Rows are sorted within a file. An ORDER BY would sort the whole table, which needs all of it to be shuffled. -#}
{% macro spark__storage_order(columns) -%}
    sort by {{ columns | join(', ') }}
{%- endmacro %}
