with ranges as (
    select
        dates.workspace_id,
        dates.date_range,
        dates.start_date,
        dates.end_date,
        {{ same_length_before('dates.start_date', 'dates.end_date') }} as start_date_before,
        dates.start_date - 1 as end_date_before
    from ({{ date_ranges_at(current_instant()) }}) as dates
),

counted as (
    select
        counts.workspace_id,
        counts.date_range,
        counts.event_type,
        sum(counts.contacts) filter (where counts.report_date >= counts.start_date) as contacts,
        sum(counts.contacts) filter (where counts.report_date < counts.start_date) as contacts_before
    from ({{ counts_in_date_ranges(event_types(), ranges='ranges', and_before=true) }}) as counts
    group by counts.workspace_id, counts.date_range, counts.event_type
)

select
    cast(ranges.workspace_id as string) as workspace_id,
    ranges.date_range,
    ranges.start_date,
    ranges.end_date,
    ranges.start_date_before,
    ranges.end_date_before,
    {{ compared('event_types', 'counted') }}
from ranges
cross join {{ ref('event_types') }} as event_types
left join counted
    on
        ranges.workspace_id = counted.workspace_id
        and ranges.date_range = counted.date_range
        and event_types.event_type = counted.event_type
