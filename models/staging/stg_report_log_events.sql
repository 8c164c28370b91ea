with exported as (
    {{ exported_records('report_logs') }}
),

-- The contact of a merged event is the primary contact, if the log has a column for it.
in_columns as (
    select
        *,
        coalesce(unknown_contents, contents) as event_type,
        {{ required_field('occurred_at') }} as occurred_at,
        case
            when primary_contact_id_position is null then {{ required_field('contact_id') }}
            else {{ required_field('primary_contact_id') }}
        end as contact_id,
        {{ exported_field('contact_name') }} as contact_name,
        {{ exported_field('source') }} as source,
        {{ exported_field('user_name') }} as user_name,
        {{ exported_field('channel_name') }} as channel_name,
        {{ exported_field('merged_contact_id') }} as merged_contact_id
    from exported
),

-- Values without the leading apostrophe and the `-` of a report log are those of a canonical event.
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
        event_type as landed_event_type,
        {{ unguarded(export_text('occurred_at')) }} as landed_occurred_at,
        {{ unguarded(export_text('contact_id')) }} as landed_contact_id,
        {{ unguarded(export_name('contact_name')) }} as landed_contact_name,
        {{ unguarded(export_word('source')) }} as landed_source,
        {{ unguarded(export_word('user_name')) }} as landed_user_id,
        {{ unguarded(export_word('channel_name')) }} as landed_channel_id,
        {{ unguarded(export_text('merged_contact_id')) }} as landed_merged_contact_id,
        cast(null as string) as number_fields,
        cast(null as string) as extra_fields,
        raw_record,
        false as is_ignored
    from in_columns
),

-- The id has only fields that are the same in every download. The name of a contact or a user may be different in a
-- later one.
identified as (
    select
        *,
        'report_log/' || landed_event_type
        || '/' || coalesce(replace(landed_occurred_at, 'T', ' '), '')
        || '/' || coalesce({{ id_text('landed_contact_id') }}, '')
        || '/' || coalesce(landed_channel_id, '')
        || '/'
        || case landed_event_type when 'merged' then coalesce({{ id_text('landed_merged_contact_id') }}, '') else '' end
            as identity
    from landed
),

with_zone as (
    {{ with_wall_clock('identified') }}
)

-- Equal rows of one file are different events. The batch is in the partition so that a filter on it skips the files of
-- others.
{% set row_of_identity = 'row_number() over (partition by batch_id, file_id, identity order by source_line)' %}
{{ typed_fields(
    'with_zone',
    event_id="identity || '/' || cast(" ~ row_of_identity ~ ' as string)',
    instant=instant_of_wall_clock('landed_occurred_at')
) }}
