with rejected_records as (
    select
        file_id,
        count(*) as records_rejected
    from {{ ref('int_rejected_records') }}
    group by file_id
)

select
    files.workspace_id,
    routes.route,
    files.source_file,
    files.loaded_at,
    files.refusal as reason,
    coalesce(rejected_records.records_rejected, 0) as records_rejected,
    files.header
from {{ ref('stg_export_files') }} as files
inner join {{ ref('routes') }} as routes on files.kind = routes.kind
left join rejected_records on files.file_id = rejected_records.file_id
where files.refusal is not null
