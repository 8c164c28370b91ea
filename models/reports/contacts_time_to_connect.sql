with added as (
    select
        cast(waits.workspace_id as string) as workspace_id,
        dates.month_start,
        cast(waits.source as string) as source,
        cast(waits.source_label as string) as source_label,
        waits.hours_to_connect,
        {{ microseconds('waits.first_connected_at') }} - {{ microseconds('waits.added_at') }} as us_to_connect
    from {{ ref('int_times_to_connect') }} as waits
    -- Joined for its months: DuckDB then skips the days outside of a filter on the month (the newest two: 58 against
    -- 214 ms).
    inner join {{ ref('dim_date') }} as dates on waits.report_date = dates.date_day
)

-- Qualified: a table function with the parameter `workspace_id` reads this view.
select
    added.workspace_id,
    added.month_start,
    added.source,
    added.source_label,
    count(*) as contacts_added,
    count(added.hours_to_connect) as contacts_connected,
    100 * cast(count(added.hours_to_connect) as double) / count(*) as percentage,
    -- Of whole numbers: engines round the mean of two floating-point numbers differently, and their sum depends on the
    -- order of the rows.
    median(added.us_to_connect) / 3600000000 as median_hours_to_connect,
    cast(sum(added.us_to_connect) as double) / count(added.us_to_connect) / 3600000000 as average_hours_to_connect
from added
group by added.workspace_id, added.month_start, added.source, added.source_label
