{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

select
    batch_id,
    file_id,
    workspace_folder as workspace_id,
    kind as route,
    source_file,
    records as records_landed,
    loaded_at
from {{ source('raw', 'files') }}
where batch_id > {{ last_built_batch() }}
