with landed as (
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        route,
        parse_error,
        cast(null as string) as landed_event_id,
        'added' as landed_event_type,
        created_at as landed_occurred_at,
        contact_id as landed_contact_id,
        {{ full_name('first_name', 'last_name') }} as landed_contact_name,
        cast(null as string) as landed_source,
        cast(null as string) as landed_user_id,
        cast(null as string) as landed_channel_id,
        cast(null as string) as landed_merged_contact_id,
        cast(null as string) as number_fields,
        cast(null as string) as extra_fields,
        raw_record,
        false as is_ignored
    from {{ source('raw', 'api_contacts') }}
),

timed as (
    select
        *,
        {{ trimmed('landed_occurred_at') }} as occurred_at
    from landed
)

{{ typed_fields(
    'timed', event_id="'api/contact/' || coalesce(" ~ id_text('landed_contact_id') ~ ", '')", instant=instant_of_epoch('occurred_at')
) }}
