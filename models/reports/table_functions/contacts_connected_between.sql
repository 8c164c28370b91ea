{{
    config(parameters=[
        'start_date',
        'end_date',
        "frequency := 'day'",
        'workspace_id := null',
        'user_ids := null',
        'sources := null',
        'contact_ids := null',
        'channel_ids := null',
        'contact_name := null',
    ])
}}

-- One row per channel of a workspace: channels of two workspaces with the same id are two rows, and so are unknown
-- channels.
with counted as (
    select
        events.period_start,
        events.workspace_id,
        events.channel_id,
        cast(sum(events.contacts) as bigint) as contacts_connected
    from (
        select
            {{ period_start('counts.report_date') }} as period_start,
            counts.workspace_id,
            counts.channel_id,
            counts.contacts
        from ({{ filtered_counts(['connected'], channels=true) }}) as counts
    ) as events
    group by events.period_start, events.workspace_id, events.channel_id
),

totals as (
    select
        counted.period_start,
        sum(counted.contacts_connected) as contacts_connected
    from counted
    group by counted.period_start
)

select
    counted.period_start,
    cast(counted.workspace_id as string) as workspace_id,
    counted.channel_id,
    coalesce(channels.channel_name, counted.channel_id, {{ unknown_channel() }}) as channel_name,
    counted.contacts_connected,
    {{ percentage('counted.contacts_connected', 'totals.contacts_connected') }} as percentage
from counted
inner join totals on counted.period_start = totals.period_start
left join {{ ref('dim_channel') }} as channels
    on counted.workspace_id = channels.workspace_id and counted.channel_id = channels.channel_id
inner join ({{ checked_arguments(with_frequency=true) }}) as checked on checked.refusals = 0
order by counted.period_start asc, counted.contacts_connected desc
