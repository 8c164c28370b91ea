-- Counted first, labelled then: a label is not grouped by, and looked up once per row that is shown.
with daily as (
    select
        counts.workspace_id,
        counts.report_date,
        counts.source,
        cast(sum(counts.contacts) as bigint) as contacts_added
    from {{ ref('agg_contacts_daily') }} as counts
    where counts.event_type = 'added'
    group by counts.workspace_id, counts.report_date, counts.source
)

select
    cast(daily.workspace_id as varchar) as workspace_id,
    daily.report_date,
    daily.source,
    sources.source_label,
    daily.contacts_added
from daily
inner join {{ ref('dim_source') }} as sources on daily.source = sources.source
