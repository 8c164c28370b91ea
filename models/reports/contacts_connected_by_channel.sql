with daily as (
    select
        counts.workspace_id,
        counts.report_date,
        counts.channel_id,
        cast(sum(counts.contacts) as bigint) as contacts_connected
    from {{ ref('agg_contacts_daily') }} as counts
    where counts.event_type = 'connected'
    group by counts.workspace_id, counts.report_date, counts.channel_id
)

select
    cast(daily.workspace_id as varchar) as workspace_id,
    daily.report_date,
    daily.channel_id,
    coalesce(channels.channel_name, daily.channel_id, 'Unknown') as channel_name,
    channels.channel_type,
    daily.contacts_connected
from daily
left join {{ ref('dim_channel') }} as channels
    on daily.workspace_id = channels.workspace_id and daily.channel_id = channels.channel_id
