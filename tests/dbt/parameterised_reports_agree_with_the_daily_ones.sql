-- The table functions for the last 30 days add up to the daily counts. DuckDB binds a table function only when it is
-- called, so this test also finds broken ones.
{{ config(enabled=has_table_functions(), meta={'dagster': {'ref': {'name': 'contacts_overview_between'}}}) }}

{% set dates = 'current_date - 29, current_date' -%}
{% set reports = [
    ('contacts_overview_between', 'contacts_added + contacts_deleted + contacts_merged', "'added', 'deleted', 'merged'"),
    ('contacts_added_between', 'contacts_added', "'added'"),
    ('contacts_connected_between', 'contacts_connected', "'connected'"),
    ('contacts_compared_between', 'contacts', "'added', 'connected', 'deleted', 'merged'"),
    ('contacts_added_log_between', '1', "'added'"),
    ('contacts_connected_log_between', '1', "'connected'"),
    ('contacts_deleted_log_between', '1', "'deleted'"),
    ('contacts_merged_log_between', '1', "'merged'"),
] -%}

with reported as (
    {% for report, contacts, event_types in reports -%}
    select
        '{{ report }}' as report,
        coalesce(sum({{ contacts }}), 0) as contacts
    from {{ ref(report) }}({{ dates }})
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (
    {% for report, contacts, event_types in reports -%}
    select
        '{{ report }}' as report,
        coalesce(sum(contacts), 0) as contacts
    from {{ ref('agg_contacts_daily') }}
    where
        report_date between current_date - 29 and current_date
        and event_type in ({{ event_types }})
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    reported.report,
    reported.contacts as contacts_reported,
    counted.contacts as contacts_counted
from reported
inner join counted on reported.report = counted.report
where reported.contacts <> counted.contacts
