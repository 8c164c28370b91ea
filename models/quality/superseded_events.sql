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
    -- A failed message is published as the same event, reported again.
    case when superseded.superseded_as = 'failed_message' then 'same_event' else superseded.superseded_as end as reason,
    -- If the newest version of an event is superseded too, its older versions give way to the same event.
    case
        when superseded.superseded_as <> 'same_event' then superseded.standing_event_id
        when newest_version.event_id is not null then newest_version.standing_event_id
        else superseded.event_id
    end as superseded_by
from {{ ref('int_resolved_superseded_events') }} as superseded
inner join {{ ref('dim_source') }} as sources on superseded.source = sources.source
-- The join has no condition on the left side alone: with one DuckDB compares each row with each (10 million events: 211
-- s).
left join {{ ref('int_superseded_events') }} as newest_version
    on
        newest_version.superseded_as <> 'same_event'
        and superseded.workspace_id = newest_version.workspace_id
        and superseded.event_id = newest_version.event_id
