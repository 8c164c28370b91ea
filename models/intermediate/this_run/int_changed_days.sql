-- Empty on a full refresh. An event that is sent again unchanged changes no count.
with counted as (
    select
        workspace_id,
        report_date,
        event_type,
        source,
        channel_id,
        user_id,
        occurred_at,
        1 as events
    from {{ ref('int_changed_standing_events') }}
    union all
    select
        workspace_id,
        report_date,
        event_type,
        source,
        channel_id_before,
        user_id_before,
        occurred_at,
        -1 as events
    from {{ ref('int_changeable_events') }}
    where
        was_standing
        and (file_id, source_line) in (select file_id, source_line from {{ ref('int_changed_records') }})
),

changes as (
    select
        workspace_id,
        report_date,
        event_type
    from counted
    group by workspace_id, report_date, event_type, source, channel_id, user_id, occurred_at
    having sum(events) <> 0
)

select distinct
    workspace_id,
    report_date,
    event_type
from changes
