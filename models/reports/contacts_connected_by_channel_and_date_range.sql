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
)

select
    counted.workspace_id,
    counted.date_range,
    counted.start_date,
    counted.end_date,
    counted.channel_id,
    coalesce(channels.channel_name, counted.channel_id, 'Unknown') as channel_name,
    counted.contacts_connected,
    {{ percentage('counted.contacts_connected', ['counted.workspace_id', 'counted.date_range']) }} as percentage
from counted
left join {{ ref('dim_channel') }} as channels
    on counted.workspace_id = channels.workspace_id and counted.channel_id = channels.channel_id
