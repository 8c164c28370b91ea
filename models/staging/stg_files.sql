{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

select
    files.batch_id,
    files.file_id,
    files.workspace_folder as workspace_id,
    files.kind,
    routes.route,
    coalesce(routes.brings_events, false) as brings_events,
    files.source_file,
    files.records as records_landed,
    files.loaded_at
from {{ source('raw', 'files') }} as files
left join {{ ref('routes') }} as routes on files.kind = routes.kind
where files.batch_id > {{ last_built_batch() }}
