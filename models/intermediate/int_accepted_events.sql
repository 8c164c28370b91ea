{{ config(materialized='view') }}

select
    events.batch_id,
    events.file_id,
    events.source_line,
    events.workspace_id,
    events.route,
    routes.precedence as route_precedence,
    events.event_id,
    events.event_type,
    events.occurred_at,
    events.occurred_at_local,
    events.report_date,
    events.contact_id,
    events.contact_name,
    events.source,
    events.user_id,
    events.channel_id,
    events.merged_contact_id,
    events.event_key
from {{ ref('stg_events') }} as events
inner join {{ ref('routes') }} as routes on events.route = routes.route
where events.reject_reason is null
