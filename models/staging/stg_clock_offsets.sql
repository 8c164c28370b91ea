{{ config(materialized='table', tags='rules_alone') }}

-- Clock changes are looked up once per day and zone, as asking the zone database for every event costs as much as all
-- the rest of judging it (2.3 µs a row against 0.2 µs for this lookup).
with zones as (
    select distinct timezone from {{ ref('stg_workspaces') }}
),

days as (
    {{ days("date '2000-01-01'", "date '2049-12-31'") }}
),

boundaries as (
    select
        zones.timezone,
        days.date_day,
        {{ microseconds(local_time(midnight_utc('days.date_day'), 'zones.timezone')) }}
        - {{ microseconds(midnight_utc('days.date_day')) }} as offset_us
    from zones
    cross join days
),

with_next as (
    select
        timezone,
        date_day as utc_date,
        offset_us,
        lead(offset_us) over (partition by timezone order by date_day) as offset_us_next
    from boundaries
),

-- NULL where the clock changes on that day: then the zone database decides for each event.
of_days as (
    select
        timezone,
        utc_date,
        case when offset_us = offset_us_next then offset_us end as offset_us
    from with_next
)

select
    timezone,
    utc_date,
    offset_us,
    -- A day of a wall clock lies within three of UTC's.
    case
        when
            offset_us = lag(offset_us) over (partition by timezone order by utc_date)
            and offset_us = lead(offset_us) over (partition by timezone order by utc_date)
            then offset_us
    end as wall_clock_offset_us
from of_days
