-- The rules of validation are in stg_events. This model applies them once, to the records of new batches. On a full
-- refresh these are all records.
select
    records.batch_id,
    records.file_id,
    records.source_line,
    {{ listed_workspace('records.workspace_id') }} as workspace_id,
    {{ one_of('records.route', 'routes', 'route') }} as route,
    records.event_id,
    records.event_type,
    records.occurred_at,
    records.occurred_at_local,
    records.report_date,
    records.contact_id,
    records.contact_name,
    records.source,
    records.unmatched_source,
    records.user_id as user_reference,
    records.channel_id as channel_reference,
    records.merged_contact_id,
    records.message_id,
    records.event_key,
    case
        when records.event_key is not null
            then {{ hash_of(natural_key('records', channel_id='coalesce(channels.id, records.channel_id)')) }}
    end as fact_key,
    records.is_ignored,
    {{ one_of_values('records.reject_reason', reject_reasons()) }} as reject_reason,
    records.reject_detail,
    records.raw_record
from {{ ref('stg_events') }} as records
left join {{ ref('int_directory_references') }} as channels
    on
        {{ refers_to('channels', 'channel', 'records', 'channel_id') }}
where records.batch_id > {{ last_built_batch() }}
