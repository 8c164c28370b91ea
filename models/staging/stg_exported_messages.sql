with landed as (
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        route,
        parse_error,
        {{ export_text('message_id') }} as landed_event_id,
        'connected' as landed_event_type,
        {{ export_text('occurred_at') }} as landed_occurred_at,
        {{ export_text('contact_id') }} as landed_contact_id,
        cast(null as varchar) as landed_contact_name,
        {{ export_word('sender_type') }} as landed_source,
        {{ export_word('sender_id') }} as landed_user_id,
        {{ export_word('channel_id') }} as landed_channel_id,
        cast(null as varchar) as landed_merged_contact_id,
        cast(null as varchar) as number_fields,
        cast(null as varchar) as extra_fields,
        raw_record,
        false as is_ignored
    from {{ source('raw', 'data_export') }}
    where {{ exported() }} = 'messages'
),

with_zone as (
    {{ with_wall_clock('landed') }}
)

{{ typed_fields(
    'with_zone',
    event_id="'data_export/message/' || " ~ id_text('landed_event_id'),
    instant=instant_of_wall_clock('landed_occurred_at'),
    message_id=id_text('landed_event_id')
) }}
