select
    daily.workspace_id,
    daily.report_date,
    daily.source,
    sources.source_label,
    cast(sum(daily.contacts) as bigint) as contacts_added
from {{ ref('agg_contacts_daily') }} as daily
inner join {{ ref('dim_source') }} as sources on daily.source = sources.source
where daily.event_type = 'added'
group by daily.workspace_id, daily.report_date, daily.source, sources.source_label
