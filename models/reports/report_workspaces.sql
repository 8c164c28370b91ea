{{ config(alias='workspaces') }}

select
    workspace_id,
    workspace_name,
    timezone
from {{ ref('dim_workspace') }}
