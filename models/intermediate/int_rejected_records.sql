{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

select
    batch_id,
    file_id,
    source_line,
    route,
    event_type,
    reject_reason,
    reject_detail,
    raw_record
from {{ ref('int_new_records') }}
where reject_reason is not null
union all
select
    batch_id,
    file_id,
    source_line,
    {{ one_of('route', 'routes', 'route') }} as route,
    null as event_type,
    {{ one_of_values('reject_reason', reject_reasons()) }} as reject_reason,
    reject_detail,
    raw_record
from {{ ref('stg_directory_rows') }}
where reject_reason is not null and batch_id > {{ last_built_batch() }}
