with landed as (
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        route,
        parse_error,
        event_id as landed_event_id,
        event_type as landed_event_type,
        occurred_at as landed_occurred_at,
        contact_id as landed_contact_id,
        contact_name as landed_contact_name,
        source as landed_source,
        user_id as landed_user_id,
        channel_id as landed_channel_id,
        merged_contact_id as landed_merged_contact_id,
        number_fields,
        extra_fields,
        raw_record,
        false as is_ignored
    from {{ source('raw', 'events') }}
)

{{ typed_fields('landed', event_id=trimmed('landed_event_id'), instant=instant_with_offset('landed_occurred_at')) }}
