select
    cast(superseded.workspace_id as string) as workspace_id,
    superseded.occurred_at,
    superseded.occurred_at_local,
    superseded.report_date,
    superseded.contact_id,
    superseded.contact_name,
    cast(superseded.source as string) as source,
    sources.source_label,
    superseded.user_id,
    superseded.user_name,
    superseded.event_id,
    cast(superseded.route as string) as route,
    cast(superseded.event_type as string) as event_type,
    {{ published_reason('superseded') }} as reason,
    {{ superseded_by('superseded', 'newest_version') }} as superseded_by
from {{ ref('int_resolved_superseded_events') }} as superseded
inner join {{ ref('dim_source') }} as sources on superseded.source = sources.source
{{ join_newest_version('superseded', 'newest_version') }}
