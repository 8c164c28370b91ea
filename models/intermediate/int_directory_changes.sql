-- The names as the last build knew them against the names as they are now. Nothing, when everything is built anew.
{% set last_built = last_built_batch() | int %}

with users_before as (
    select
        workspace_id,
        user_id,
        {{ shown_user_name() }} as shown_name
    from {{ ref('stg_users') }}
    where batch_id <= {{ last_built }}
    qualify row_number() over (partition by workspace_id, user_id order by file_id desc, source_line desc) = 1
),

channels_before as (
    select
        workspace_id,
        channel_id,
        {{ shown_channel_name() }} as shown_name
    from {{ ref('stg_channels') }}
    where batch_id <= {{ last_built }}
    qualify row_number() over (partition by workspace_id, channel_id order by file_id desc, source_line desc) = 1
)

select
    'user' as directory,
    users.workspace_id,
    users.user_id as id
from {{ ref('dim_user') }} as users
left join users_before on users.workspace_id = users_before.workspace_id and users.user_id = users_before.user_id
where
    {{ last_built }} > 0
    and users.shown_name is distinct from coalesce(users_before.shown_name, users.user_id)
union all
select
    'channel' as directory,
    channels.workspace_id,
    channels.channel_id as id
from {{ ref('dim_channel') }} as channels
left join channels_before
    on channels.workspace_id = channels_before.workspace_id and channels.channel_id = channels_before.channel_id
where
    {{ last_built }} > 0
    and channels.channel_name is distinct from coalesce(channels_before.shown_name, channels.channel_id)
