{{ config(materialized='table') }}

-- Landed is what extraction counted, standing what the facts hold: if a record were lost or doubled on the way between,
-- the two sides would differ.
with judged as (
    select
        file_id,
        sum(records_rejected) as records_rejected,
        sum(records_ignored) as records_ignored,
        sum(records_counted_only) as records_counted_only
    from {{ ref('int_file_records') }}
    group by file_id
),

superseded as (
    select
        file_id,
        count(*) as records_superseded
    from {{ ref('int_superseded_events') }}
    group by file_id
),

standing as (
    select
        file_id,
        count(*) as records_standing
    from {{ ref('fct_contact_events') }}
    group by file_id
)

select
    files.workspace_id,
    files.route,
    files.source_file,
    files.loaded_at,
    files.records_landed,
    coalesce(standing.records_standing, 0) as records_standing,
    cast(
        coalesce(superseded.records_superseded, 0) + coalesce(judged.records_counted_only, 0) as bigint
    ) as records_superseded,
    cast(coalesce(judged.records_rejected, 0) as bigint) as records_rejected,
    cast(coalesce(judged.records_ignored, 0) as bigint) as records_ignored
from {{ ref('stg_files') }} as files
left join judged on files.file_id = judged.file_id
left join superseded on files.file_id = superseded.file_id
left join standing on files.file_id = standing.file_id
where files.route is not null
