with ranges as (
    {{ date_ranges_at(current_instant()) }}
),

counted as (
    select
        counts.workspace_id,
        counts.date_range,
        sum(counts.contacts) filter (where counts.event_type = 'added') as contacts_added,
        sum(counts.contacts) filter (where counts.event_type = 'deleted') as contacts_deleted,
        sum(counts.contacts) filter (where counts.event_type = 'merged') as contacts_merged
    from ({{ counts_in_date_ranges(['added', 'deleted', 'merged']) }}) as counts
    group by counts.workspace_id, counts.date_range
)

select
    ranges.workspace_id,
    ranges.date_range,
    ranges.start_date,
    ranges.end_date,
    cast(coalesce(counted.contacts_added, 0) as bigint) as contacts_added,
    cast(coalesce(counted.contacts_deleted, 0) as bigint) as contacts_deleted,
    cast(coalesce(counted.contacts_merged, 0) as bigint) as contacts_merged
from ranges
left join counted on ranges.workspace_id = counted.workspace_id and ranges.date_range = counted.date_range
