-- Warns of new rejected records, by workspace and reason. quality.rejected_records has them.
{{
    config(
        severity='warn',
        fail_calc='coalesce(sum(record_count), 0)',
        meta={'dagster': {'ref': {'name': 'int_reject_changes'}}},
    )
}}

select
    workspace_id,
    reject_reason,
    record_count
from {{ ref('int_reject_changes') }}
order by workspace_id, reject_reason
