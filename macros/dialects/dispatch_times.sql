{#- SQL on times and days that engines write differently: dispatched to macros/dialects/<engine>.sql. -#}

{#- The instant at which the query runs. -#}
{% macro current_instant() -%}
    {{ adapter.dispatch('current_instant')() }}
{%- endmacro %}

{#- NULL as an instant. -#}
{% macro no_instant() -%}
    {{ adapter.dispatch('no_instant')() }}
{%- endmacro %}

{#- Instants before every event, and after every event and deletion. -#}
{% macro beginning_of_time() -%}
    {{ adapter.dispatch('beginning_of_time')() }}
{%- endmacro %}

{% macro end_of_time() -%}
    {{ adapter.dispatch('end_of_time')() }}
{%- endmacro %}

{#- ISO 8601 text with an offset → the instant, cut to the microsecond. -#}
{% macro instant_from_text(column) -%}
    {{ adapter.dispatch('instant_from_text')(column) }}
{%- endmacro %}

{#- ISO 8601 text without an offset → microseconds since 1970 as if it were UTC, cut to the microsecond. -#}
{% macro wall_clock_microseconds_from_text(column) -%}
    {{ adapter.dispatch('wall_clock_microseconds_from_text')(column) }}
{%- endmacro %}

{#-
    A wall clock in an IANA zone → the instant. A time that the clock shows twice is any of the two. A time that the clock
    skips is moved forward. Slow.
-#}
{% macro instant_of(wall_clock, zone) -%}
    {{ adapter.dispatch('instant_of')(wall_clock, zone) }}
{%- endmacro %}

{#- Microseconds since 1970 in UTC → the instant. -#}
{% macro instant_from_microseconds(microseconds) -%}
    {{ adapter.dispatch('instant_from_microseconds')(microseconds) }}
{%- endmacro %}

{#- An instant → microseconds since 1970 in UTC. -#}
{% macro microseconds(instant) -%}
    {{ adapter.dispatch('microseconds')(instant) }}
{%- endmacro %}

{#- Microseconds since 1970 → a wall clock without a zone. -#}
{% macro wall_clock(microseconds) -%}
    {{ adapter.dispatch('wall_clock')(microseconds) }}
{%- endmacro %}

{#- An instant → the wall clock of an IANA zone. Exact and slow. -#}
{% macro local_time(instant, zone) -%}
    {{ adapter.dispatch('local_time')(instant, zone) }}
{%- endmacro %}

{#- A date's midnight in UTC, as an instant. -#}
{% macro midnight_utc(date) -%}
    {{ adapter.dispatch('midnight_utc')(date) }}
{%- endmacro %}

{#- One row a day from the first date to the last. -#}
{% macro days(first, last) -%}
    {{ adapter.dispatch('days')(first, last) }}
{%- endmacro %}

{#- In a select list: a row for each day from the first date to the last. -#}
{% macro each_day(first, last) -%}
    {{ adapter.dispatch('each_day')(first, last) }}
{%- endmacro %}

{#- The number of days from one date to another one. -#}
{% macro days_from(earlier, later) -%}
    {{ adapter.dispatch('days_from')(earlier, later) }}
{%- endmacro %}

{#- A date's day of the week, Monday being 1. -#}
{% macro iso_day_of_week(date) -%}
    {{ adapter.dispatch('iso_day_of_week')(date) }}
{%- endmacro %}

{#- The first day of the day, week (Monday), month, quarter or year of a date, moved by a number of these units. -#}
{% macro unit_start(date, unit, offset) -%}
    {{ adapter.dispatch('unit_start')(date, unit, offset) }}
{%- endmacro %}
