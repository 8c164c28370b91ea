{{
    config(
        materialized='incremental',
        pre_hook="{{ delete_rows_of(ref('int_changed_records'), ['file_id', 'source_line'], and_newer_batches=true) }}",
    )
}}
-- Built after the other large fact. Each is sorted on all cores, so both at once take longer than one after the other
-- (10 million events: 11.1 against 9.7 s).
-- depends_on: {{ ref('fct_contacts_added') }}

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
    channel_id,
    channel_name,
    event_id,
    route,
    batch_id,
    file_id,
    source_line,
    event_key,
    unmatched_source,
    case when user_reference <> user_id then user_reference end as user_reference,
    case when channel_reference <> channel_id then channel_reference end as channel_reference,
    message_id
from {{ records_to_load('connected') }}
{{ newest_first() }}
