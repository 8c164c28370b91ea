{#- The forms of time that routes have: with an offset, as the workspace's wall clock, or as Unix time. -#}

{#- An ISO 8601 time with an offset. A cast alone would accept other forms. -#}
{% macro instant_with_offset(column) -%}
    case
        when {{ matches(column, iso_8601_with_offset()) }} then {{ instant_from_text(column) }}
        when {{ matches(trimmed(column), iso_8601_with_offset()) }} then {{ instant_from_text(trimmed(column)) }}
    end
{%- endmacro %}

{#-
    Unix time in seconds, milliseconds or microseconds, distinguished by magnitude: seconds reach 1e11 in the year 5138,
    milliseconds passed it in 1973. Text that is not a number may be a time with an offset.
-#}
{% macro instant_of_epoch(column) -%}
    {%- set whole = "cast(split_part(" ~ column ~ ", '.', 1) as bigint)" -%}
    {%- set fraction = "rpad(split_part(" ~ column ~ ", '.', 2), 6, '0')" -%}
    case
        when {{ matches(column, '^[0-9]{1,18}([.][0-9]+)?$') }}
            then {{ instant_from_microseconds('case
                when ' ~ whole ~ ' < 100000000000 then ' ~ whole ~ ' * 1000000 + cast(left(' ~ fraction ~ ', 6) as int)
                when ' ~ whole ~ ' < 100000000000000 then ' ~ whole ~ ' * 1000 + cast(left(' ~ fraction ~ ', 3) as int)
                else ' ~ whole ~ '
            end') }}
        else {{ instant_with_offset(column) }}
    end
{%- endmacro %}

{#-
    Adds the columns that `instant_of_wall_clock` needs: the workspace's zone, the wall clock in microseconds, and the zone's
    offset where it is the same all day.
-#}
{% macro with_wall_clock(landed) -%}
    select
        records.*,
        offsets.wall_clock_offset_us
    from (
        select
            landed.*,
            workspaces.timezone,
            case
                when {{ matches('landed.landed_occurred_at', iso_8601_without_offset()) }}
                    then {{ wall_clock_microseconds_from_text('landed.landed_occurred_at') }}
            end as wall_clock_us
        from {{ landed }} as landed
        left join {{ ref('stg_workspaces') }} as workspaces on landed.workspace_id = workspaces.workspace_id
    ) as records
    left join {{ ref('stg_clock_offsets') }} as offsets
        on
            records.timezone = offsets.timezone
            and cast({{ wall_clock('records.wall_clock_us') }} as date) = offsets.utc_date
{%- endmacro %}

{#-
    A time with an offset, or else the workspace's wall clock. A time that the clock shows twice is the first one. A time
    that the clock skips is moved forward by as much as the clock was.
-#}
{% macro instant_of_wall_clock(column) -%}
    {%- set wall_clock_time = wall_clock('wall_clock_us') -%}
    {%- set later = instant_of(wall_clock_time, 'timezone') -%}
    {%- set day_before = '(' ~ later ~ " - interval '24' hour)" -%}
    {%- set offset_before =
        '(' ~ microseconds(local_time(day_before, 'timezone')) ~ ' - ' ~ microseconds(day_before) ~ ')' -%}
    {%- set earlier = instant_from_microseconds('wall_clock_us - ' ~ offset_before) -%}
    case
        when wall_clock_us is null then {{ instant_with_offset(column) }}
        when wall_clock_offset_us is not null
            then {{ instant_from_microseconds('wall_clock_us - wall_clock_offset_us') }}
        -- The offset of the day before gives the first of two. Where the clock skips, it gives another wall clock.
        when {{ local_time(earlier, 'timezone') }} = {{ wall_clock_time }} then {{ earlier }}
        else {{ later }}
    end
{%- endmacro %}

{#- An event cannot be before the year 2000, or more than a day after it was loaded (contract 4). -#}
{% macro is_possible_time(occurred_at, loaded_at) -%}
    ({{ occurred_at }} >= {{ midnight_utc("date '2000-01-01'") }} and {{ occurred_at }} <= {{ loaded_at }} + interval '24' hour)
{%- endmacro %}
