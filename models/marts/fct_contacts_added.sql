{{
    config(
        materialized='incremental',
        pre_hook="{{ delete_rows_of(ref('int_changed_records'), ['file_id', 'source_line'], and_newer_batches=true) }}",
    )
}}

select
    workspace_id,
    occurred_at,
    occurred_at_local,
    report_date,
    contact_id,
    contact_name,
    source,
    source_label,
    user_id,
    user_name,
    event_id,
    route,
    batch_id,
    file_id,
    source_line,
    event_key,
    unmatched_source,
    case when user_reference <> user_id then user_reference end as user_reference
from {{ records_to_load('added') }}
-- Date ranges and the newest rows lie together, the newest first: while a page of a log is looked for in a block, every
-- row that is newer than those before it costs (the newest 100 of 109,045 rows: 28 ms in the order of time, 12 ms so).
order by occurred_at desc
