{{ config(tags='rules_alone') }}

with days as (
    -- The first accepted instant is 2000-01-01 UTC (contract 4), which is a day earlier west of Greenwich.
    {{ days("date '1999-12-31'", "date '2049-12-31'") }}
)

select
    date_day,
    cast(extract(year from date_day) as int) as year_number,
    cast(extract(quarter from date_day) as int) as quarter_number,
    cast(extract(month from date_day) as int) as month_number,
    cast(extract(day from date_day) as int) as day_of_month,
    {{ iso_day_of_week('date_day') }} as day_of_week,
    cast(date_trunc('week', date_day) as date) as week_start,
    cast(date_trunc('month', date_day) as date) as month_start
from days
