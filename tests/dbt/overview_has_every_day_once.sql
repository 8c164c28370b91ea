-- The overview of a workspace has each day from its first standing event to its last exactly once (contract 6).
{{ config(meta={'dagster': {'ref': {'name': 'agg_overview_daily'}}}) }}

with bounds as (
    select
        workspace_id,
        min(report_date) as first_date,
        max(report_date) as last_date
    from {{ ref('agg_contacts_daily') }}
    group by workspace_id
),

overview as (
    select
        workspace_id,
        min(report_date) as first_date,
        max(report_date) as last_date,
        count(*) as row_count,
        count(distinct report_date) as day_count
    from {{ ref('agg_overview_daily') }}
    group by workspace_id
)

select
    bounds.*,
    overview.row_count,
    overview.day_count
from bounds
left join overview on bounds.workspace_id = overview.workspace_id
where
    overview.first_date is distinct from bounds.first_date
    or overview.last_date is distinct from bounds.last_date
    or overview.row_count <> {{ days_from('bounds.first_date', 'bounds.last_date') }} + 1
    or overview.row_count <> overview.day_count
