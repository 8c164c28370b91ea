select
    cast(workspace_id as string) as workspace_id,
    workspace_name,
    timezone
from {{ ref('dim_workspace') }}
