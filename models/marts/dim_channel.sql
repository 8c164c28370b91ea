-- The latest row of an id's snapshots wins (contract 5).
select
    workspace_id,
    channel_id,
    {{ shown_channel_name() }} as channel_name,
    channel_type,
    is_deleted
from {{ ref('stg_channels') }}
qualify row_number() over (partition by workspace_id, channel_id order by file_id desc, source_line desc) = 1
