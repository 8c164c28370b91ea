-- The daily counts are those of the facts: no group is missing, too many, counted differently, or there twice. After an
-- incremental run it is enough to look at the days that it can have touched.
{{ config(meta={'dagster': {'ref': {'name': 'agg_contacts_daily'}}}) }}
{% set changed_days = ref('int_changed_days') %}
{% set days_to_look_at -%}
{% if last_built_batch() | int > 0 -%}
where (workspace_id, report_date) in (select workspace_id, report_date from {{ changed_days }})
{%- endif %}
{%- endset %}

with counted as (
    select
        workspace_id,
        report_date,
        event_type,
        source,
        channel_id,
        user_id,
        1 as events_in_facts,
        0 as events_in_daily_counts
    from {{ ref('fct_contact_events') }}
    {{ days_to_look_at }}
    union all
    select
        workspace_id,
        report_date,
        event_type,
        source,
        channel_id,
        user_id,
        0 as events_in_facts,
        contacts as events_in_daily_counts
    from {{ ref('agg_contacts_daily') }}
    {{ days_to_look_at }}
)

select
    workspace_id,
    report_date,
    event_type,
    source,
    channel_id,
    user_id,
    sum(events_in_facts) as events_in_facts,
    sum(events_in_daily_counts) as events_in_daily_counts
from counted
group by workspace_id, report_date, event_type, source, channel_id, user_id
having
    sum(events_in_facts) <> sum(events_in_daily_counts)
    or count(*) filter (where events_in_facts = 0) > 1
