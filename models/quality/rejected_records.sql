select
    files.workspace_id,
    cast(rejected.route as string) as route,
    files.source_file,
    rejected.source_line,
    cast(rejected.reject_reason as string) as reason,
    rejected.reject_detail as detail,
    rejected.raw_record,
    files.loaded_at
from {{ ref('int_rejected_records') }} as rejected
inner join {{ ref('stg_files') }} as files on rejected.file_id = files.file_id
