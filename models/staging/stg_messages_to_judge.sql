{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ remove_newer_rows() }}') }}

-- Of an export's messages only the first of each contact on each channel can connect it. The others are counted here
-- and not kept one by one. A message that will be rejected stands for itself alone.
with messages as (
    select
        messages.batch_id,
        messages.file_id,
        messages.source_line,
        messages.contact_id,
        messages.channel_id,
        messages.occurred_at,
        messages.event_id,
        coalesce(
            messages.parse_error is null
            and messages.event_id is not null
            and messages.contact_id > 0
            and {{ is_possible_time('messages.occurred_at', 'messages.loaded_at') }}
            and workspaces.workspace_id is not null
            and coalesce(sources.connected, true),
            false
        ) as will_be_accepted
    from {{ ref('stg_exported_messages') }} as messages
    left join {{ ref('stg_workspaces') }} as workspaces on messages.workspace_id = workspaces.workspace_id
    left join {{ ref('stg_source_spellings') }} as spellings
        on {{ source_spelling('messages.source') }} = spellings.spelling
    left join {{ ref('sources') }} as sources on spellings.source = sources.source
    where messages.batch_id > {{ last_built_batch() }}
)

-- Of a message that the file has twice the last row, as of any event that is sent again.
select
    batch_id,
    file_id,
    min_by(source_line, {{ composite(['occurred_at', 'event_id', '-source_line']) }}) as source_line,
    count(*) as record_count
from messages
group by batch_id, file_id, contact_id, channel_id, case when will_be_accepted then 0 else source_line end
