-- Warns of rejected records that are new, by workspace and reason; quality.rejected_records has them. New is what came
-- since the last build, or with the newest batch when all is built anew.
{{
    config(
        severity='warn',
        fail_calc='coalesce(sum(record_count), 0)',
        meta={'dagster': {'ref': {'name': 'stg_events'}}},
    )
}}
{% set last_built = last_built_batch() | int %}

select
    workspace_id,
    reject_reason,
    count(*) as record_count
from {{ ref('stg_events') }}
where
    reject_reason is not null
    {% if last_built > 0 -%}
    and batch_id > {{ last_built }}
    {%- else -%}
    and batch_id = (select max(batch_id) from {{ ref('stg_files') }})
    {%- endif %}
group by workspace_id, reject_reason
order by workspace_id, reject_reason
