select
    files.workspace_id,
    files.route,
    files.source_file,
    files.loaded_at,
    min(events.reject_detail) as reason,
    count(*) as records_rejected
from {{ ref('stg_events') }} as events
inner join {{ ref('stg_files') }} as files on events.file_id = files.file_id
where events.reject_reason = 'unknown_event_type' and events.route in ('report_log', 'data_export')
group by files.file_id, files.workspace_id, files.route, files.source_file, files.loaded_at
