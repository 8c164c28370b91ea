select
    files.workspace_id,
    files.route,
    files.source_file,
    files.loaded_at,
    min(rejected.reject_detail) as reason,
    count(*) as records_rejected
from {{ ref('int_rejected_records') }} as rejected
inner join {{ ref('stg_files') }} as files on rejected.file_id = files.file_id
where rejected.reject_reason = 'unknown_event_type' and rejected.route in ('report_log', 'data_export')
group by files.file_id, files.workspace_id, files.route, files.source_file, files.loaded_at
