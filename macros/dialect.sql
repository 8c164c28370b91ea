{#- SQL that differs between engines. One macro for each difference. -#}

{% macro matches(column, pattern) -%}
    regexp_matches({{ column }}, '{{ pattern }}')
{%- endmacro %}

{% macro replace_matches(column, pattern, replacement) -%}
    regexp_replace({{ column }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{#- In a replacement: the text that the first group of the pattern matched. -#}
{% macro first_group() -%}
    \1
{%- endmacro %}

{#- Text → its last character. -#}
{% macro last_character(column) -%}
    {{ column }}[-1]
{%- endmacro %}

{#- ISO 8601 text with an offset → the instant, cut to the microsecond. DuckDB wants seconds, ISO does not. -#}
{% macro instant_from_text(column) -%}
    try_cast(
        case when substr({{ column }}, 17, 1) = ':' then {{ column }} else substr({{ column }}, 1, 16) || ':00' || substr({{ column }}, 17) end
        as timestamptz
    )
{%- endmacro %}

{#- ISO 8601 text without an offset → microseconds since 1970 as if it were UTC, cut to the microsecond. -#}
{% macro wall_clock_microseconds_from_text(column) -%}
    epoch_us(try_cast(
        case when length({{ column }}) = 16 then {{ column }} || ':00' else {{ column }} end as timestamp
    ))
{%- endmacro %}

{#-
    A wall clock in an IANA zone → the instant. A time that the clock shows twice is the second one. A time that the clock
    skips is moved forward. Slow.
-#}
{% macro instant_of(wall_clock, zone) -%}
    timezone({{ zone }}, {{ wall_clock }})
{%- endmacro %}

{#- Microseconds since 1970 in UTC → the instant. -#}
{% macro instant_from_microseconds(microseconds) -%}
    make_timestamptz({{ microseconds }})
{%- endmacro %}

{#- The number of a row in its table. It identifies the row within one statement. -#}
{% macro number_of_row() -%}
    rowid
{%- endmacro %}

{#- The value of a name in the last object of a JSON list. -#}
{% macro last_in_json_list(list, name) -%}
    json_extract_string(try_cast({{ list }} as json), '$[#-1].{{ name }}')
{%- endmacro %}

{#- An instant → microseconds since 1970 in UTC. -#}
{% macro microseconds(instant) -%}
    epoch_us({{ instant }})
{%- endmacro %}

{#- Microseconds since 1970 → a wall clock without a zone. -#}
{% macro wall_clock(microseconds) -%}
    make_timestamp({{ microseconds }})
{%- endmacro %}

{#- An instant → the wall clock of an IANA zone. Exact and slow: 2.3 µs a row where the zone is a column. -#}
{% macro local_time(instant, zone) -%}
    timezone({{ zone }}, {{ instant }})
{%- endmacro %}

{#- A date's midnight in UTC, as an instant. -#}
{% macro midnight_utc(date) -%}
    ({{ date }})::timestamptz
{%- endmacro %}

{#- One row a day from the first date to the last. -#}
{% macro days(first, last) -%}
    select unnest(generate_series({{ first }}, {{ last }}, interval 1 day))::date as date_day
{%- endmacro %}

{#- A date's day of the week, Monday being 1. -#}
{% macro iso_day_of_week(date) -%}
    cast(extract(isodow from {{ date }}) as int)
{%- endmacro %}

{#-
    Values → a hash of 8 bytes. Equal values have equal hashes. Different values may, too, so every match has to be
    checked.
-#}
{% macro hash_of(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{#- The sum of a number of equal hashes. -#}
{% macro hash_times(hash, number) -%}
    cast({{ hash }} as hugeint) * {{ number }}
{%- endmacro %}

{#- Text → a JSON string. -#}
{% macro as_json(text) -%}
    to_json({{ text }})::varchar
{%- endmacro %}

{#- Values that compare like a tuple: the first decides, then the second. -#}
{% macro composite(columns) -%}
    row({{ columns | join(', ') }})
{%- endmacro %}

{#-
    One number that orders records by instant, and those of the same instant by when they were loaded. `max_by` is slower
    with tuples (2 million events by contact: 1.7 against 2.9 CPU-seconds).
-#}
{% macro recency(instant, file_id, source_line) -%}
    (cast(epoch_us({{ instant }}) as hugeint) * 4294967296 + {{ file_id }}) * 1099511627776 + {{ source_line }}
{%- endmacro %}

{#-
    A text that has few values, stored in one byte. This makes it cheaper to read, sort and write (2 million events written:
    2.5 against 3.3 CPU-seconds). Published views cast it to text.
-#}
{% macro one_of_values(column, values, cast='cast') -%}
    {{ cast }}({{ column }} as {% if values %}enum('{{ values | map('replace', "'", "''") | join("', '") }}'){% else %}varchar{% endif %})
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
        {%- set relation = adapter.get_relation(database=target.database, schema=schema, identifier=table) -%}
    {%- endif -%}
    {%- if relation is none -%}
        {{ return([]) }}
    {%- endif -%}
    {{ return(run_query('select distinct ' ~ column ~ ' from ' ~ relation ~ ' order by 1').columns[0].values()) }}
{%- endmacro %}

{#- The instant at which the query runs. -#}
{% macro current_instant() -%}
    now()
{%- endmacro %}

{#- The first day of the day, week (Monday), month, quarter or year of a date, moved by a number of these units. -#}
{% macro unit_start(date, unit, offset) -%}
    cast(
        date_trunc({{ unit }}, {{ date }}) + case {{ unit }}
            when 'day' then to_days({{ offset }})
            when 'week' then to_weeks({{ offset }})
            when 'month' then to_months({{ offset }})
            when 'quarter' then to_quarters({{ offset }})
            when 'year' then to_years({{ offset }})
        end as date
    )
{%- endmacro %}

{#- In a select list: a row for each day from the first date to the last. -#}
{% macro each_day(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
{%- endmacro %}

{#- In a select list: a row for each whole number from the first to the last. -#}
{% macro each_number(first, last) -%}
    unnest(range({{ first }}, {{ last }} + 1))
{%- endmacro %}

{#- Text without the accents of its letters, composed or decomposed. -#}
{% macro without_accents(column) -%}
    strip_accents({{ column }})
{%- endmacro %}

{#- The same day of the month, some months before; the last day of that month where it has no such day. -#}
{% macro months_before(date, months) -%}
    cast({{ date }} - to_months({{ months }}) as date)
{%- endmacro %}

{#- A text as an SQL literal. -#}
{% macro text_literal(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{#- A list of texts. -#}
{% macro list_of(texts) -%}
    cast([{% for text in texts %}{{ text_literal(text) }}{{ ', ' if not loop.last }}{% endfor %}] as varchar[])
{%- endmacro %}

{#- Whether a list has all elements of another one that are not NULL. -#}
{% macro contains_all(list, elements) -%}
    list_has_all({{ list }}, {{ elements }})
{%- endmacro %}

{#- Whether a list has a value. NULL is a value like others. (`list_contains` finds no NULL.) -#}
{% macro has_value(list, value) -%}
    list_position({{ list }}, {{ value }}) is not null
{%- endmacro %}

{#- Words with spaces between them → a list. -#}
{% macro words(column) -%}
    string_split({{ column }}, ' ')
{%- endmacro %}

{#- Instants before and after every event and deletion. -#}
{% macro beginning_of_time() -%}
    timestamptz '0001-01-01 00:00:00+00'
{%- endmacro %}

{% macro end_of_time() -%}
    timestamptz '9999-12-31 23:59:59+00'
{%- endmacro %}

{#- The ISO dates in the name of a file, as a list in their order. NULL for a text of that form that is not a date. -#}
{% macro dates_in_name(path) -%}
    list_transform(
            regexp_extract_all({{ base_name(path) }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}'), lambda found: try_cast(found as date)
        )
{%- endmacro %}

{#- Whether text has ASCII characters only. -#}
{% macro is_ascii(column) -%}
    strlen({{ column }}) = length({{ column }})
{%- endmacro %}

{#- Whether text has combining marks that do not belong to a letter. -#}
{% macro has_marks_alone(column) -%}
    length(nfc_normalize({{ column }})) <> length(strip_accents({{ column }}))
{%- endmacro %}

{#-
    Text letter by letter: lower case, decomposed, without U+0300 to U+036F, with all other marks. Hangul is decomposed by
    arithmetic. The special letters are in one text, and their replacements in another one, three characters for each.
    A map would cost more: DuckDB builds it for each query (1 ms).
-#}
{% macro decomposed_letter_by_letter(column, special) -%}
    {%- set letters, become = [], [] -%}
    {%- for entry in special.split() -%}
        {%- for letter in entry.split('=')[1] -%}
            {%- do letters.append(letter) %}{% do become.append(entry.split('=')[0].ljust(3)) -%}
        {%- endfor -%}
    {%- endfor -%}
    array_to_string(
        list_transform(
            string_split(nfc_normalize({{ column }}), ''),
            lambda letter: case
                when letter < '~' then lower(letter)
                when contains('{{ letters | join }}', letter)
                    then rtrim(substr('{{ become | join }}', 3 * instr('{{ letters | join }}', letter) - 2, 3))
                when letter between '가' and '힣'
                    then
                        chr(4352 + (unicode(letter) - 44032) // 588)
                        || chr(4449 + (unicode(letter) - 44032) % 588 // 28)
                        || case
                            when (unicode(letter) - 44032) % 28 = 0 then ''
                            else chr(4519 + (unicode(letter) - 44032) % 28)
                        end
                when letter between chr(768) and chr(879) then ''
                else coalesce(nullif(lower(strip_accents(letter)), ''), letter)
            end
        ),
        ''
    )
{%- endmacro %}

{#- Text → a list of its parts between the delimiters. -#}
{% macro split_text(text, delimiter) -%}
    string_split({{ text }}, {{ delimiter }})
{%- endmacro %}

{#- The value of a list at a position, counted from 1. NULL where the position is NULL or beyond the end. -#}
{% macro element(list, position) -%}
    {{ list }}[{{ position }}]
{%- endmacro %}

{#- In a select list: a row for each value of a list, with its position, counted from 1. -#}
{% macro each_element(list, value, position) -%}
    unnest({{ list }}) as {{ value }},
    generate_subscripts({{ list }}, 1) as {{ position }}
{%- endmacro %}

{#-
    A list → its values as one text. DuckDB accepts no column as the separator: U+FDD0, which no text has, is replaced by
    it.
-#}
{% macro joined_text(list, separator) -%}
    replace(array_to_string({{ list }}, chr(64976)), chr(64976), {{ separator }})
{%- endmacro %}

{#- At the end of the query of a table: the order in which its rows are stored. -#}
{% macro storage_order(columns) -%}
    order by {{ columns | join(', ') }}
{%- endmacro %}
