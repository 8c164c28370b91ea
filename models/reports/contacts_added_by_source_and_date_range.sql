with counted as (
    select
        counts.workspace_id,
        counts.date_range,
        counts.start_date,
        counts.end_date,
        counts.source,
        cast(sum(counts.contacts) as bigint) as contacts_added
    from ({{ counts_in_date_ranges(['added']) }}) as counts
    group by counts.workspace_id, counts.date_range, counts.start_date, counts.end_date, counts.source
)

select
    counted.workspace_id,
    counted.date_range,
    counted.start_date,
    counted.end_date,
    counted.source,
    sources.source_label,
    counted.contacts_added,
    {{ percentage('counted.contacts_added', ['counted.workspace_id', 'counted.date_range']) }} as percentage
from counted
inner join {{ ref('dim_source') }} as sources on counted.source = sources.source
