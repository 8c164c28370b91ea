-- A file is one of the page's four logs: its columns say which, or else its name; only then a column that the added log
-- has in its newer form, as other logs may have it too.
{% set logs = ['added', 'connected', 'deleted', 'merged'] %}

with files_told_apart as (
    select
        *,
        case
            when contains(header, '"primarycontactid"') then primary_contact_id
            else contact_id
        end as event_contact_id,
        {{ base_name('source_file') }} as file_name
    from {{ source('raw', 'report_logs') }}
),

typed_files as (
    select
        *,
        case
            when contains(header, '"primarycontactid"') then 'merged'
            when contains(header, '"channel"') then 'connected'
            when
                0
                {%- for log in logs %}
                + case when {{ matches('file_name', '(^|\\P{L})' ~ log ~ '(\\P{L}|$)') }} then 1 else 0 end
                {%- endfor %} = 1
                then
                    case
                        {%- for log in logs %}
                        when {{ matches('file_name', '(^|\\P{L})' ~ log ~ '(\\P{L}|$)') }} then '{{ log }}'
                        {%- endfor %}
                    end
            when {{ matches('header', '"(subsource|adcampaignid|adgroupid|adid)"') }} then 'added'
            else 'neither the header nor the name of the file says which log it is'
        end as event_type
    from files_told_apart
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
        {{ unguarded(export_text('event_contact_id')) }} as landed_contact_id,
        {{ unguarded(export_name('contact_name')) }} as landed_contact_name,
        {{ unguarded(export_word('source')) }} as landed_source,
        {{ unguarded(export_word('user_name')) }} as landed_user_id,
        {{ unguarded(export_word('channel_name')) }} as landed_channel_id,
        {{ unguarded(export_text('merged_contact_id')) }} as landed_merged_contact_id,
        cast(null as varchar) as number_fields,
        cast(null as varchar) as extra_fields,
        raw_record,
        false as is_ignored
    from typed_files
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
