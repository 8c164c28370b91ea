-- The latest row of an id's snapshots wins (contract 5).
select
    workspace_id,
    user_id,
    user_name,
    is_deleted,
    {{ shown_user_name() }} as shown_name
from {{ ref('stg_users') }}
qualify row_number() over (partition by workspace_id, user_id order by file_id desc, source_line desc) = 1
