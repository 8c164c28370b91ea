with exported as (
    select
        *,
        {{ export_name('first_name') }} as given_name,
        {{ export_name('last_name') }} as family_name
    from {{ source('raw', 'data_export') }}
    where {{ exported() }} is distinct from 'messages'
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
        cast(null as varchar) as landed_event_id,
        case {{ exported() }}
            when 'contacts' then 'added'
            else 'neither the header nor the name of the file says what was exported'
        end as landed_event_type,
        -- Of a file that nobody knows, nobody knows either which of its columns is the time: none is missing.
        case
            when {{ exported() }} = 'contacts' then {{ export_text('created_at') }}
            else coalesce({{ trimmed('created_at') }}, {{ trimmed('occurred_at') }}, 'unknown')
        end as landed_occurred_at,
        {{ export_text('contact_id') }} as landed_contact_id,
        {{ full_name('given_name', 'family_name') }} as landed_contact_name,
        cast(null as varchar) as landed_source,
        cast(null as varchar) as landed_user_id,
        cast(null as varchar) as landed_channel_id,
        cast(null as varchar) as landed_merged_contact_id,
        cast(null as varchar) as number_fields,
        cast(null as varchar) as extra_fields,
        raw_record,
        false as is_ignored
    from exported
),

with_zone as (
    {{ with_wall_clock('landed') }}
)

{{ typed_fields(
    'with_zone',
    event_id="'data_export/contact/' || coalesce(" ~ id_text('landed_contact_id') ~ ", '')",
    instant=instant_of_wall_clock('landed_occurred_at')
) }}
