select
    workspace_id,
    report_date
from {{ ref('int_accepted_events') }}
where batch_id > {{ last_built_batch() }}
union
select
    workspace_id,
    report_date
from {{ ref('int_changed_records') }}
