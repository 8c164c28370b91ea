{{ config(materialized='table') }}

-- Extraction counted the landed records, and the facts have the standing ones. If a record were lost or doubled in
-- between, the states would not add up to the landed records.
with rejected as (
    select
        file_id,
        count(*) as records_rejected
    from {{ ref('int_rejected_records') }}
    group by file_id
),

ignored as (
    select
        file_id,
        sum(records_ignored) as records_ignored
    from {{ ref('int_file_records') }}
    group by file_id
    union all
    -- The usable rows of a directory have no contact event. Rows that a listing no longer has (a negative line), and
    -- names in webhooks, are not rows of the file.
    select
        file_id,
        count(*) as records_ignored
    from {{ ref('stg_users') }}
    where is_listed and source_line > 0
    group by file_id
    union all
    select
        file_id,
        count(*) as records_ignored
    from {{ ref('stg_channels') }}
    where is_listed and source_line > 0
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
    coalesce(superseded.records_superseded, 0) as records_superseded,
    coalesce(rejected.records_rejected, 0) as records_rejected,
    cast(coalesce(ignored.records_ignored, 0) as bigint) as records_ignored
from {{ ref('stg_files') }} as files
left join rejected on files.file_id = rejected.file_id
left join ignored on files.file_id = ignored.file_id
left join superseded on files.file_id = superseded.file_id
left join standing on files.file_id = standing.file_id
where files.route is not null
