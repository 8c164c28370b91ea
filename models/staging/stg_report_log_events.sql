with exported as (
    {{ exported_records('report_logs') }}
),

-- The id of a merged log's events is that of the primary contact, if it has a column for it.
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

-- Without its guard and its `-`, each value is what a canonical event would have.
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
        event_type as landed_event_type,
        {{ unguarded(export_text('occurred_at')) }} as landed_occurred_at,
        {{ unguarded(export_text('contact_id')) }} as landed_contact_id,
        {{ unguarded(export_name('contact_name')) }} as landed_contact_name,
        {{ unguarded(export_word('source')) }} as landed_source,
        {{ unguarded(export_word('user_name')) }} as landed_user_id,
        {{ unguarded(export_word('channel_name')) }} as landed_channel_id,
        {{ unguarded(export_text('merged_contact_id')) }} as landed_merged_contact_id,
        cast(null as varchar) as number_fields,
        cast(null as varchar) as extra_fields,
        raw_record,
        false as is_ignored
    from in_columns
),

-- What a download says of an event whenever it is downloaded: a name or a user may be shown differently later.
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

-- Rows of one file that are alike are as many events. The batch, which is the file's, is named so that others are not
-- read.
{% set row_of_identity = 'row_number() over (partition by batch_id, file_id, identity order by source_line)' %}
{{ typed_fields(
    'with_zone',
    event_id="identity || '/' || cast(" ~ row_of_identity ~ ' as varchar)',
    instant=instant_of_wall_clock('landed_occurred_at')
) }}
