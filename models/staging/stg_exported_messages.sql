with exported as (
    {{ exported_records('data_export') }}
),

in_columns as (
    select
        *,
        {{ exported_field('message_id') }} as message_id,
        {{ exported_field('occurred_at') }} as occurred_at,
        {{ exported_field('contact_id') }} as contact_id,
        {{ exported_field('sender_type') }} as sender_type,
        {{ exported_field('sender_id') }} as sender_id,
        {{ exported_field('channel_id') }} as channel_id
    from exported
    where unknown_contents is null and contents = 'messages'
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
        {{ export_text('message_id') }} as landed_event_id,
        'connected' as landed_event_type,
        {{ export_text('occurred_at') }} as landed_occurred_at,
        {{ export_text('contact_id') }} as landed_contact_id,
        cast(null as string) as landed_contact_name,
        {{ export_word('sender_type') }} as landed_source,
        {{ export_word('sender_id') }} as landed_user_id,
        {{ export_word('channel_id') }} as landed_channel_id,
        cast(null as string) as landed_merged_contact_id,
        cast(null as string) as number_fields,
        cast(null as string) as extra_fields,
        raw_record,
        false as is_ignored
    from in_columns
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
