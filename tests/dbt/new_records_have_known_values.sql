-- A validated record has every required value, and an event key exactly where it is accepted. The type of the column
-- allows no other reject reasons than those of contract 4.
{{ config(meta={'dagster': {'ref': {'name': 'int_new_records'}}}) }}

select
    batch_id,
    file_id,
    source_line,
    reject_reason
from {{ ref('int_new_records') }}
where
    batch_id is null
    or file_id is null
    or source_line is null
    or route is null
    or source is null
    or (workspace_id is null and event_key is not null)
    or (event_key is null) <> (reject_reason is not null or is_ignored)
