select
    workspace_id,
    channel_id,
    {{ shown_channel_name() }} as channel_name,
    channel_type,
    is_deleted,
    deleted_at
from {{ latest_entries('stg_channels', 'channel_id') }}
