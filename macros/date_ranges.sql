{#- The presets of the report page (contract 6). Each is a row of the seed `date_range_presets`. -#}

{#-
    One row per workspace and preset: its first and its last day at an instant, in the workspace's calendar. A preset
    begins with the first day of a unit of time and ends the day before another unit starts. Offsets count units from the
    current one.
-#}
{% macro date_ranges_at(instant) -%}
    select
        workspaces.workspace_id,
        presets.date_range,
        presets.label,
        {{ unit_start('workspaces.today', 'presets.from_unit', 'presets.from_offset') }} as start_date,
        {{ unit_start('workspaces.today', 'presets.until_unit', 'presets.until_offset') }} - 1 as end_date
    from (
        select
            zones.workspace_id,
            cast({{ local_time(instant, 'zones.timezone') }} as date) as today
        from {{ ref('dim_workspace') }} as zones
    ) as workspaces
    cross join {{ ref('date_range_presets') }} as presets
{%- endmacro %}

{#- The same, in the columns that are published. -#}
{% macro published_date_ranges(instant) -%}
    select
        cast(ranges.workspace_id as string) as workspace_id,
        ranges.date_range,
        ranges.label,
        ranges.start_date,
        ranges.end_date
    from ({{ date_ranges_at(instant) }}) as ranges
{%- endmacro %}

{#-
    One row per workspace, date range and day in it. With `and_before`, also the same number of days before it. `ranges` is a
    relation of date ranges; without it, those at the time of the query. Join it on the day, not on the bounds of a range:
    DuckDB then skips the rows that lie outside of every range.
-#}
{% macro days_of_date_ranges(ranges=none, and_before=false) -%}
    {%- set first_date = same_length_before('ranges.start_date', 'ranges.end_date') if and_before else 'ranges.start_date' -%}
    select
        ranges.workspace_id,
        ranges.date_range,
        ranges.start_date,
        ranges.end_date,
        {{ each_day(first_date, 'ranges.end_date') }} as report_date
    from {{ ranges or '(' ~ date_ranges_at(current_instant()) ~ ')' }} as ranges
{%- endmacro %}

{#- The daily counts of some types of event, on the days of each workspace's date ranges. -#}
{% macro counts_in_date_ranges(event_types, ranges=none, and_before=false) -%}
    select
        days.workspace_id,
        days.date_range,
        days.start_date,
        days.end_date,
        daily.report_date,
        daily.event_type,
        daily.source,
        daily.channel_id,
        daily.contacts
    from {{ ref('agg_breakdown_daily') }} as daily
    inner join ({{ days_of_date_ranges(ranges, and_before) }}) as days
        on daily.workspace_id = days.workspace_id and daily.report_date = days.report_date
    where daily.event_type in ('{{ event_types | join("', '") }}')
{%- endmacro %}
