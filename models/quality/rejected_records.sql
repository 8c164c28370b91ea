select
    events.workspace_id,
    events.route,
    files.source_file,
    events.source_line,
    events.reject_reason as reason,
    events.reject_detail as detail,
    events.raw_record,
    files.loaded_at
from {{ ref('stg_events') }} as events
inner join {{ ref('stg_files') }} as files on events.file_id = files.file_id
where events.reject_reason is not null
