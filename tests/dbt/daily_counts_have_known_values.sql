-- Every daily count has all values, and a known workspace, day, type of event and source. As the counts equal the
-- facts (daily_counts_equal_the_facts), this holds for the facts, too. After an incremental run only the days that
-- were counted again are tested.
{{ config(meta={'dagster': {'ref': {'name': 'agg_contacts_daily'}}}) }}

with counted as (
    select
        workspace_id,
        report_date,
        event_type,
        source,
        count(contacts) as counts_known,
        count(*) as row_count
    from {{ ref('agg_contacts_daily') }}
    where
        {{ last_built_batch() }} = 0
        or (workspace_id, report_date) in (select workspace_id, report_date from {{ ref('int_changed_days') }})
    group by workspace_id, report_date, event_type, source
)

select counted.*
from counted
left join {{ ref('dim_workspace') }} as workspaces on counted.workspace_id = workspaces.workspace_id
left join {{ ref('dim_date') }} as dates on counted.report_date = dates.date_day
left join {{ ref('dim_source') }} as sources on counted.source = sources.source
where
    workspaces.workspace_id is null
    or dates.date_day is null
    or sources.source is null
    or counted.event_type is null
    or counted.event_type not in ('added', 'connected', 'deleted', 'merged')
    or counted.counts_known < counted.row_count
