-- stg_files has every version of a file in the raw zone, with the same number of records.
{{ config(meta={'dagster': {'ref': {'name': 'stg_files'}}}) }}

select
    loaded.file_id,
    loaded.source_file,
    loaded.records as records_loaded,
    files.records_landed
from {{ source('raw', 'files') }} as loaded
left join {{ ref('stg_files') }} as files on loaded.file_id = files.file_id
where files.records_landed is distinct from loaded.records
