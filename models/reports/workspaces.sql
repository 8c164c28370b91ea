select
    cast(workspace_id as varchar) as workspace_id,
    workspace_name,
    timezone
from {{ ref('dim_workspace') }}
