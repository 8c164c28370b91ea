with ranges as (
    {{ date_ranges_at(current_instant()) }}
),

counted as (
    select
        days.workspace_id,
        days.date_range,
        sum(daily.contacts_added) as contacts_added,
        sum(daily.contacts_deleted) as contacts_deleted,
        sum(daily.contacts_merged) as contacts_merged
    from {{ ref('agg_overview_daily') }} as daily
    inner join ({{ days_of_date_ranges('ranges') }}) as days
        on daily.workspace_id = days.workspace_id and daily.report_date = days.report_date
    group by days.workspace_id, days.date_range
)

select
    cast(ranges.workspace_id as string) as workspace_id,
    ranges.date_range,
    ranges.start_date,
    ranges.end_date,
    cast(coalesce(counted.contacts_added, 0) as bigint) as contacts_added,
    cast(coalesce(counted.contacts_deleted, 0) as bigint) as contacts_deleted,
    cast(coalesce(counted.contacts_merged, 0) as bigint) as contacts_merged
from ranges
left join counted on ranges.workspace_id = counted.workspace_id and ranges.date_range = counted.date_range
