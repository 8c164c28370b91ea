{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{% if is_incremental() %}
            delete from {{ this }}
            where (workspace_id, report_date, event_type) in (
                select workspace_id, report_date, event_type from {{ ref('int_changed_days') }}
            )
        {% endif %}",
    )
}}
{% set changed_days = ref('int_changed_days') %}

select
    workspace_id,
    report_date,
    event_type,
    source,
    channel_id,
    user_id,
    count(*) as contacts
from {{ ref('fct_contact_events') }}
{% if is_incremental() %}
where
    (workspace_id, report_date, event_type) in (
        select workspace_id, report_date, event_type from {{ changed_days }}
    )
{% endif %}
group by workspace_id, report_date, event_type, source, channel_id, user_id
-- A report asks for a range of days of one type of event, which so lie together (docs/performance.md, "Queries").
order by event_type, report_date, workspace_id
