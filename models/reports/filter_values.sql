-- Channels and users that an event has. The breakdown has channels in fewer rows. Only the daily counts have users.
with in_events as (
    select
        workspace_id,
        'channel' as filter,
        channel_id as value
    from {{ ref('agg_breakdown_daily') }}
    where event_type = 'connected'
    group by workspace_id, channel_id
    union all
    select
        workspace_id,
        'user' as filter,
        user_id as value
    from {{ ref('agg_contacts_daily') }}
    where user_id is not null
    group by workspace_id, user_id
),

in_directories as (
    select
        workspace_id,
        'channel' as filter,
        channel_id as value,
        channel_name as name,
        is_deleted
    from {{ ref('dim_channel') }}
    union all
    select
        workspace_id,
        'user' as filter,
        user_id as value,
        shown_name as name,
        is_deleted
    from {{ ref('dim_user') }}
),

offered as (
    select
        directories.workspace_id,
        directories.filter,
        directories.value,
        directories.name
    from in_directories as directories
    inner join {{ ref('dim_workspace') }} as workspaces on directories.workspace_id = workspaces.workspace_id
    where not directories.is_deleted
    union all
    -- An id or a name that no directory has is shown as it is. A channel that is not known has neither.
    select
        cast(in_events.workspace_id as string) as workspace_id,
        in_events.filter,
        in_events.value,
        coalesce(in_events.value, {{ unknown_channel() }}) as name
    from in_events
    left join in_directories as directories
        on
            in_events.workspace_id = directories.workspace_id
            and in_events.filter = directories.filter
            and in_events.value = directories.value
    where directories.value is null
),

-- If two values have the same name, their labels include the ids.
labelled as (
    select
        workspace_id,
        filter,
        value,
        case
            when count(*) over (partition by workspace_id, filter, name) > 1 and value <> name
                then name || ' (' || value || ')'
            else name
        end as label
    from offered
)

select
    workspace_id,
    filter,
    value,
    label,
    case when value is null then {{ unknown_channel('fr') }} else label end as label_fr
from labelled
union all
select
    workspaces.workspace_id,
    'source' as filter,
    sources.source as value,
    sources.source_label as label,
    sources.label_fr
from {{ ref('dim_workspace') }} as workspaces
cross join {{ ref('dim_source') }} as sources
