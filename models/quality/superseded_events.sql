select
    events.workspace_id,
    events.occurred_at,
    events.occurred_at_local,
    events.report_date,
    events.contact_id,
    events.contact_name,
    cast(events.source as varchar) as source,
    sources.source_label,
    events.user_id,
    events.user_name,
    events.event_id,
    cast(events.route as varchar) as route,
    cast(events.event_type as varchar) as event_type,
    -- An older version of an event that itself lost to another one is superseded by that other one.
    coalesce(superseded.standing_event_id, newest_version.standing_event_id, superseded.event_id) as superseded_by
from {{ ref('int_superseded_events') }} as superseded
inner join {{ ref('int_accepted_events') }} as events
    on superseded.file_id = events.file_id and superseded.source_line = events.source_line
inner join {{ ref('dim_source') }} as sources on events.source = sources.source
left join {{ ref('int_superseded_events') }} as newest_version
    on
        superseded.superseded_as = 'same_event'
        and newest_version.superseded_as = 'same_fact'
        and superseded.workspace_id = newest_version.workspace_id
        and superseded.event_id = newest_version.event_id
