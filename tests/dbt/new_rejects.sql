-- Warns of rejected records that are new, by workspace and reason; quality.rejected_records has them. New is what came
-- since the last build, or with the newest batch when all is built anew.
{{
    config(
        severity='warn',
        fail_calc='coalesce(sum(record_count), 0)',
        meta={'dagster': {'ref': {'name': 'int_rejected_records'}}},
    )
}}
{% set last_built, files = last_built_batch() | int, ref('stg_files') %}

select
    files.workspace_id,
    rejected.reject_reason,
    count(*) as record_count
from {{ ref('int_rejected_records') }} as rejected
inner join {{ files }} as files on rejected.file_id = files.file_id
where
    rejected.batch_id > {{ last_built }}
    and ({{ last_built }} > 0 or rejected.batch_id = (select max(newest.batch_id) from {{ files }} as newest))
group by files.workspace_id, rejected.reject_reason
order by files.workspace_id, rejected.reject_reason
