with exported as (
    {{ exported_records('data_export') }}
),

-- With the rows of files of unknown contents.
in_columns as (
    select
        *,
        {{ required_field('contact_id') }} as contact_id,
        {{ required_field('created_at') }} as created_at,
        {{ exported_field('first_name') }} as first_name,
        {{ exported_field('last_name') }} as last_name
    from exported
    where unknown_contents is not null or contents is distinct from 'messages'
),

named as (
    select
        *,
        {{ export_name('first_name') }} as given_name,
        {{ export_name('last_name') }} as family_name
    from in_columns
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
        cast(null as string) as landed_event_id,
        coalesce(unknown_contents, 'added') as landed_event_type,
        {{ export_text('created_at') }} as landed_occurred_at,
        {{ export_text('contact_id') }} as landed_contact_id,
        {{ full_name('given_name', 'family_name') }} as landed_contact_name,
        cast(null as string) as landed_source,
        cast(null as string) as landed_user_id,
        cast(null as string) as landed_channel_id,
        cast(null as string) as landed_merged_contact_id,
        cast(null as string) as number_fields,
        cast(null as string) as extra_fields,
        raw_record,
        false as is_ignored
    from named
),

with_zone as (
    {{ with_wall_clock('landed') }}
)

{{ typed_fields(
    'with_zone',
    event_id="'data_export/contact/' || coalesce(" ~ id_text('landed_contact_id') ~ ", '')",
    instant=instant_of_wall_clock('landed_occurred_at')
) }}
