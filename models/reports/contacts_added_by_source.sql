select
    cast(daily.workspace_id as string) as workspace_id,
    daily.report_date,
    daily.source,
    sources.source_label,
    daily.contacts as contacts_added
from {{ ref('agg_breakdown_daily') }} as daily
inner join {{ ref('dim_source') }} as sources on daily.source = sources.source
where daily.event_type = 'added'
