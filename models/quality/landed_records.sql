select
    files.workspace_id,
    files.route,
    files.source_file,
    records.source_line,
    files.loaded_at,
    records.raw_record
from {{ ref('stg_landed_records') }} as records
inner join {{ ref('stg_files') }} as files on records.file_id = files.file_id
