-- Webhooks of a new contact and of a message have a contact event. Others are ignored, and so is a message that
-- failed.
with bodies as (
    select
        *,
        lower({{ trimmed('event_type') }}) as webhook_type
    from {{ source('raw', 'webhooks') }}
),

landed as (
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        route,
        parse_error,
        event_id as landed_event_id,
        case
            when webhook_type = 'contact.created' then 'added'
            when webhook_type in ('message.received', 'message.sent') then 'connected'
        end as landed_event_type,
        case
            when webhook_type = 'contact.created' then created_at
            when webhook_type is null then coalesce(message_timestamp, created_at)
            else message_timestamp
        end as landed_occurred_at,
        coalesce({{ trimmed('contact_id') }}, message_contact_id) as landed_contact_id,
        {{ full_name('first_name', 'last_name') }} as landed_contact_name,
        case
            when webhook_type = 'contact.created' then null
            when webhook_type = 'message.received' then coalesce({{ trimmed('sender_source') }}, 'contact')
            else sender_source
        end as landed_source,
        coalesce({{ trimmed('sender_user_id') }}, user_id) as landed_user_id,
        coalesce({{ trimmed('channel_id') }}, message_channel_id) as landed_channel_id,
        message_id,
        cast(null as string) as landed_merged_contact_id,
        cast(null as string) as number_fields,
        cast(null as string) as extra_fields,
        raw_record,
        parse_error is null
        and webhook_type is not null
        and (
            webhook_type not in ('contact.created', 'message.received', 'message.sent')
            or (
                webhook_type = 'message.sent'
                and coalesce(lower({{ last_in_json_list('message_status', 'value') }}) = 'failed', false)
            )
        ) as is_ignored
    from bodies
),

timed as (
    select
        *,
        {{ trimmed('landed_occurred_at') }} as occurred_at
    from landed
)

{{ typed_fields(
    'timed',
    event_id=trimmed('landed_event_id'),
    instant=instant_of_epoch('occurred_at'),
    message_id=id_text('message_id')
) }}
