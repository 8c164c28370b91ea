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
),

totals as (
    select
        counted.workspace_id,
        counted.date_range,
        sum(counted.contacts_added) as contacts_added
    from counted
    group by counted.workspace_id, counted.date_range
)

select
    cast(counted.workspace_id as string) as workspace_id,
    counted.date_range,
    counted.start_date,
    counted.end_date,
    counted.source,
    sources.source_label,
    counted.contacts_added,
    {{ percentage('counted.contacts_added', 'totals.contacts_added') }} as percentage
from counted
inner join totals
    on counted.workspace_id = totals.workspace_id and counted.date_range = totals.date_range
inner join {{ ref('dim_source') }} as sources on counted.source = sources.source
