{#- Measures that the views and the table functions of the reports share. -#}

{#-
    The percentage of a total, 0 to 100, not rounded. Queries join the totals: a window over the counts costs DuckDB more
    (1,924 channels and days: 1.3 ms for the window, 0.3 ms to group and join).
-#}
{% macro percentage(contacts, total) -%}
    100 * cast({{ contacts }} as double) / {{ total }}
{%- endmacro %}

{#- The first day of the range of the same length that ends the day before a range starts. -#}
{% macro same_length_before(start_date, end_date) -%}
    ({{ start_date }} - cast({{ days_from(start_date, end_date) }} as integer) - 1)
{%- endmacro %}

{#- The number of a metric compared with the one before. The percentage of 0 is NULL. -#}
{% macro compared(event_types, counted) -%}
    'contacts_' || {{ event_types }}.event_type as metric,
    cast(coalesce({{ counted }}.contacts, 0) as bigint) as contacts,
    cast(coalesce({{ counted }}.contacts_before, 0) as bigint) as contacts_before,
    cast(coalesce({{ counted }}.contacts, 0) - coalesce({{ counted }}.contacts_before, 0) as bigint) as difference,
    100 * cast(coalesce({{ counted }}.contacts, 0) - {{ counted }}.contacts_before as double)
    / nullif({{ counted }}.contacts_before, 0) as percent
{%- endmacro %}

{#- Hours from one instant to another one; negative where the other one is earlier. -#}
{% macro hours_between(earlier, later) -%}
    cast({{ microseconds(later) }} - {{ microseconds(earlier) }} as double) / 3600000000
{%- endmacro %}
