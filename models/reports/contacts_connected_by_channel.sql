select
    daily.workspace_id,
    daily.report_date,
    daily.channel_id,
    coalesce(channels.channel_name, daily.channel_id, 'Unknown') as channel_name,
    channels.channel_type,
    cast(sum(daily.contacts) as bigint) as contacts_connected
from {{ ref('agg_contacts_daily') }} as daily
left join {{ ref('dim_channel') }} as channels
    on daily.workspace_id = channels.workspace_id and daily.channel_id = channels.channel_id
where daily.event_type = 'connected'
group by
    daily.workspace_id,
    daily.report_date,
    daily.channel_id,
    channels.channel_name,
    channels.channel_type
