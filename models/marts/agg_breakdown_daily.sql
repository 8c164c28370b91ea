{{
    config(
        materialized='incremental',
        pre_hook="{{ delete_rows_of(ref('int_changed_days'), ['workspace_id', 'report_date']) }}",
    )
}}
{% set changed_days = ref('int_changed_days') %}

-- Most queries of the page do not need users. Without them there are far fewer rows (10 million events: 62,000 rows
-- instead of 714,000).
select
    workspace_id,
    report_date,
    event_type,
    case when event_type <> 'connected' then source end as source,
    channel_id,
    cast(sum(contacts) as bigint) as contacts
from {{ ref('agg_contacts_daily') }}
{% if is_incremental() -%}
where (workspace_id, report_date) in (select workspace_id, report_date from {{ changed_days }})
{% endif -%}
group by workspace_id, report_date, event_type, case when event_type <> 'connected' then source end, channel_id
{{ storage_order(['event_type', 'report_date', 'workspace_id']) }}
