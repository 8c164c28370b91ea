select
    workspace_id,
    user_id,
    user_name,
    is_deleted,
    deleted_at,
    {{ shown_user_name() }} as shown_name
from {{ latest_entries('stg_users', 'user_id') }}
