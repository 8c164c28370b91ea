-- The newest version of workspaces.csv is the list of workspaces. Earlier versions are ignored.
with landed as (
    select
        file_id,
        source_line,
        {{ trimmed('workspace_id') }} as workspace_id,
        {{ trimmed('workspace_name') }} as workspace_name,
        {{ trimmed('timezone') }} as timezone
    from {{ source('raw', 'workspaces') }}
    where parse_error is null
),

newest as (
    select landed.* from landed
    where
        landed.file_id = (
            select max(files.file_id) from {{ source('raw', 'files') }} as files
            where files.kind = 'workspaces'
        )
)

select
    workspace_id,
    coalesce(workspace_name, workspace_id) as workspace_name,
    timezone
from newest
where workspace_id is not null and timezone is not null
qualify row_number() over (partition by workspace_id order by source_line desc) = 1
