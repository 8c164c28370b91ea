{{ config(materialized='table') }}

with landed as (
    select
        records.workspace_id,
        records.event_type,
        max(files.loaded_at) as last_loaded_at,
        sum(records.records_landed) as records_landed,
        sum(records.records_rejected) as records_rejected,
        sum(records.records_ignored) as records_ignored
    from {{ ref('int_file_records') }} as records
    inner join {{ ref('stg_files') }} as files on records.file_id = files.file_id
    group by records.workspace_id, records.event_type
),

-- From the daily counts, which have fewer rows than the facts (10 million events: 0.01 against 0.3 CPU-seconds).
standing as (
    select
        workspace_id,
        event_type,
        min(first_event_at) as first_event_at,
        max(last_event_at) as last_event_at,
        sum(contacts) as records_standing
    from {{ ref('agg_contacts_daily') }}
    group by workspace_id, event_type
),

superseded as (
    select
        workspace_id,
        event_type,
        count(*) as records_superseded
    from {{ ref('int_superseded_events') }}
    group by workspace_id, event_type
)

select
    landed.workspace_id,
    landed.event_type,
    standing.first_event_at,
    standing.last_event_at,
    landed.last_loaded_at,
    cast(landed.records_landed as bigint) as records_landed,
    cast(coalesce(standing.records_standing, 0) as bigint) as records_standing,
    cast(coalesce(superseded.records_superseded, 0) as bigint) as records_superseded,
    cast(landed.records_rejected as bigint) as records_rejected,
    cast(landed.records_ignored as bigint) as records_ignored
from landed
left join standing on landed.workspace_id = standing.workspace_id and landed.event_type = standing.event_type
left join superseded on landed.workspace_id = superseded.workspace_id and landed.event_type = superseded.event_type
