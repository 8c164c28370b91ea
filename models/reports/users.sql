select
    users.workspace_id,
    users.user_id,
    users.shown_name as user_name,
    users.is_deleted
from {{ ref('dim_user') }} as users
inner join {{ ref('dim_workspace') }} as workspaces on users.workspace_id = workspaces.workspace_id
