with counted as (
    select
        counts.workspace_id,
        counts.date_range,
        counts.start_date,
        counts.end_date,
        counts.channel_id,
        cast(sum(counts.contacts) as bigint) as contacts_connected
    from ({{ counts_in_date_ranges(['connected']) }}) as counts
    group by counts.workspace_id, counts.date_range, counts.start_date, counts.end_date, counts.channel_id
),

totals as (
    select
        counted.workspace_id,
        counted.date_range,
        sum(counted.contacts_connected) as contacts_connected
    from counted
    group by counted.workspace_id, counted.date_range
)

select
    cast(counted.workspace_id as string) as workspace_id,
    counted.date_range,
    counted.start_date,
    counted.end_date,
    counted.channel_id,
    coalesce(channels.channel_name, counted.channel_id, {{ unknown_channel() }}) as channel_name,
    counted.contacts_connected,
    {{ percentage('counted.contacts_connected', 'totals.contacts_connected') }} as percentage
from counted
inner join totals
    on counted.workspace_id = totals.workspace_id and counted.date_range = totals.date_range
left join {{ ref('dim_channel') }} as channels
    on counted.workspace_id = channels.workspace_id and counted.channel_id = channels.channel_id
