select
    cast(daily.workspace_id as string) as workspace_id,
    daily.report_date,
    daily.channel_id,
    coalesce(channels.channel_name, daily.channel_id, {{ unknown_channel() }}) as channel_name,
    channels.channel_type,
    daily.contacts as contacts_connected
from {{ ref('agg_breakdown_daily') }} as daily
left join {{ ref('dim_channel') }} as channels
    on daily.workspace_id = channels.workspace_id and daily.channel_id = channels.channel_id
where daily.event_type = 'connected'
