-- The three daily reports add up to the daily counts: no join drops or doubles a day, a source or a channel.
{{ config(meta={'dagster': {'ref': {'name': 'contacts_overview'}}}) }}

with reported as (
    select
        workspace_id,
        'contacts_overview' as report,
        sum(contacts_added + contacts_deleted + contacts_merged) as contacts
    from {{ ref('contacts_overview') }}
    group by workspace_id
    union all
    select
        workspace_id,
        'contacts_added_by_source' as report,
        sum(contacts_added) as contacts
    from {{ ref('contacts_added_by_source') }}
    group by workspace_id
    union all
    select
        workspace_id,
        'contacts_connected_by_channel' as report,
        sum(contacts_connected) as contacts
    from {{ ref('contacts_connected_by_channel') }}
    group by workspace_id
),

counted as (
    select
        workspace_id,
        sum(case when event_type = 'connected' then 0 else contacts end) as contacts_overview,
        sum(case when event_type = 'added' then contacts else 0 end) as contacts_added_by_source,
        sum(case when event_type = 'connected' then contacts else 0 end) as contacts_connected_by_channel
    from {{ ref('agg_contacts_daily') }}
    group by workspace_id
),

expected as (
    {% for report in ['contacts_overview', 'contacts_added_by_source', 'contacts_connected_by_channel'] -%}
    select
        workspace_id,
        '{{ report }}' as report,
        {{ report }} as contacts
    from counted
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    expected.workspace_id,
    expected.report,
    expected.contacts as contacts_expected,
    coalesce(reported.contacts, 0) as contacts_reported
from expected
left join reported on expected.workspace_id = reported.workspace_id and expected.report = reported.report
where expected.contacts <> coalesce(reported.contacts, 0)
