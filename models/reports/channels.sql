select
    channels.workspace_id,
    channels.channel_id,
    channels.channel_name,
    channels.channel_type,
    channels.is_deleted
from {{ ref('dim_channel') }} as channels
inner join {{ ref('dim_workspace') }} as workspaces on channels.workspace_id = workspaces.workspace_id
