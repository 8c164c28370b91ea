{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

-- A message is reported again when its status changes, in any order. `pending` is left out, as it is not final.
with reported as (
    select
        batch_id,
        file_id,
        source_line,
        workspace_folder as workspace_id,
        {{ id_text('message_id') }} as message_id,
        lower({{ last_in_json_list('message_status', 'value') }}) as status
    from {{ source('raw', 'webhooks') }}
    where
        batch_id > {{ last_built_batch() }}
        and parse_error is null
        and lower({{ trimmed('event_type') }}) = 'message.sent'
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    message_id,
    status
from reported
where message_id is not null and not {{ is_shortened_id('message_id') }} and status is not null and status <> 'pending'
