select
    workspace_id,
    workspace_name,
    timezone
from {{ ref('stg_workspaces') }}
