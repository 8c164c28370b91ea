select
    {{ listed_workspace('workspace_id') }} as workspace_id,
    workspace_name,
    timezone
from {{ ref('stg_workspaces') }}
