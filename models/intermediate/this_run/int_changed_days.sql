-- Nothing, when everything is built anew: then nobody asks.
select
    workspace_id,
    report_date,
    event_type
from {{ ref('int_new_records') }}
where event_key is not null and {{ last_built_batch() }} > 0
union
select
    workspace_id,
    report_date,
    event_type
from {{ ref('int_changed_records') }}
