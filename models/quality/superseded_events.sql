select
    cast(superseded.workspace_id as varchar) as workspace_id,
    superseded.occurred_at,
    superseded.occurred_at_local,
    superseded.report_date,
    superseded.contact_id,
    superseded.contact_name,
    cast(superseded.source as varchar) as source,
    sources.source_label,
    superseded.user_id,
    superseded.user_name,
    superseded.event_id,
    cast(superseded.route as varchar) as route,
    cast(superseded.event_type as varchar) as event_type,
    -- An older version of an event that itself lost to another one is superseded by that other one.
    coalesce(superseded.standing_event_id, newest_version.standing_event_id, superseded.event_id) as superseded_by
from {{ ref('int_resolved_superseded_events') }} as superseded
inner join {{ ref('dim_source') }} as sources on superseded.source = sources.source
-- Of equal columns alone: with a condition on the left side as well DuckDB compares each row with each (10 million
-- events: 211 s). A fact told again finds itself, and has its own answer.
left join {{ ref('int_superseded_events') }} as newest_version
    on
        newest_version.superseded_as = 'same_fact'
        and superseded.workspace_id = newest_version.workspace_id
        and superseded.event_id = newest_version.event_id
