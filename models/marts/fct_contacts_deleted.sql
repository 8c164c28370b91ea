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
from {{ records_to_load('deleted') }}
{{ newest_first() }}
