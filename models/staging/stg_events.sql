-- Validates every landed record (contract 3 and 4). Whether an accepted record stands depends on other records: the
-- intermediate layer decides it.
with records as (
    select
        *,
        -- Here, where DuckDB still has the Parquet dictionary of the column (see `trimmed_word`).
        {{ source_spelling('source') }} as source_spelling
    from {{ ref('stg_records') }}
),

with_lookups as (
    select
        records.*,
        workspaces.timezone,
        event_types.event_type as known_event_type,
        spellings.source as matched_source,
        -- The default depends on the type of event.
        case
            when records.source is not null then coalesce(spellings.source, 'other')
            when records.event_type in ('deleted', 'merged') then 'user'
            else 'unknown'
        end as resolved_source
    from records
    left join {{ ref('stg_workspaces') }} as workspaces on records.workspace_id = workspaces.workspace_id
    left join {{ ref('event_types') }} as event_types on records.event_type = event_types.event_type
    left join {{ ref('stg_source_spellings') }} as spellings
        on records.source_spelling = spellings.spelling
),

validated as (
    select
        with_lookups.*,
        case
            when with_lookups.parse_error is not null then 'malformed_record'
            when with_lookups.is_ignored then null
            when
                with_lookups.event_id is null
                or with_lookups.event_type is null
                or not with_lookups.has_occurred_at
                or not with_lookups.has_contact_id
                then 'missing_field'
            when with_lookups.timezone is null then 'unknown_workspace'
            when with_lookups.known_event_type is null then 'unknown_event_type'
            when
                {{ is_shortened_id('with_lookups.landed_event_id') }}
                or (
                    with_lookups.event_type = 'connected'
                    and (
                        {{ is_shortened_id('with_lookups.channel_id') }}
                        or {{ is_shortened_id('with_lookups.message_id') }}
                    )
                )
                or (with_lookups.resolved_source = 'user' and {{ is_shortened_id('with_lookups.user_id') }})
                then 'invalid_event_id'
            when with_lookups.contact_id is null or with_lookups.contact_id <= 0 then 'invalid_contact_id'
            when
                with_lookups.event_type = 'merged'
                and with_lookups.has_merged_contact_id
                and (with_lookups.merged_contact_id is null or with_lookups.merged_contact_id <= 0)
                then 'invalid_contact_id'
            when
                with_lookups.occurred_at is null
                or not {{ is_possible_time('with_lookups.occurred_at', 'with_lookups.loaded_at') }}
                then 'invalid_occurred_at'
            when
                not case with_lookups.event_type
                    when 'added' then sources.added
                    when 'connected' then sources.connected
                    when 'deleted' then sources.deleted
                    when 'merged' then sources.merged
                end
                then 'source_not_allowed'
            when
                with_lookups.event_type = 'merged' and with_lookups.merged_contact_id = with_lookups.contact_id
                then 'merged_into_itself'
        end as reject_reason
    from with_lookups
    left join {{ ref('event_sources') }} as sources on with_lookups.resolved_source = sources.source
),

localised as (
    select
        validated.*,
        case
            when validated.occurred_at is null or validated.timezone is null then null
            when offsets.offset_us is not null
                then {{ wall_clock(microseconds('validated.occurred_at') ~ ' + offsets.offset_us') }}
            else {{ local_time('validated.occurred_at', 'validated.timezone') }}
        end as occurred_at_local
    from validated
    left join {{ ref('stg_clock_offsets') }} as offsets
        on
            validated.timezone = offsets.timezone
            and cast({{ wall_clock(microseconds('validated.occurred_at')) }} as date) = offsets.utc_date
)

select
    batch_id,
    file_id,
    source_line,
    workspace_id,
    route,
    event_id,
    {{ one_of(
        'case when parse_error is null and not coalesce(is_ignored, false) then known_event_type end',
        'event_types', 'event_type'
    ) }} as event_type,
    occurred_at,
    occurred_at_local,
    cast(occurred_at_local as date) as report_date,
    contact_id,
    contact_name,
    {{ one_of('resolved_source', 'event_sources', 'source') }} as source,
    case when source is not null and matched_source is null then source end as unmatched_source,
    case when resolved_source = 'user' then user_id end as user_id,
    case when event_type = 'connected' then channel_id end as channel_id,
    case when event_type = 'merged' then merged_contact_id end as merged_contact_id,
    case when event_type = 'connected' then message_id end as message_id,
    case
        when reject_reason is null and not coalesce(is_ignored, false)
            then {{ hash_of(['workspace_id', 'event_id']) }}
    end as event_key,
    coalesce(is_ignored, false) as is_ignored,
    reject_reason,
    case reject_reason
        when 'malformed_record' then parse_error
        when 'missing_field'
            then
                substr(
                    case when event_id is null then ', event_id' else '' end
                    || case when event_type is null then ', event_type' else '' end
                    || case when has_occurred_at then '' else ', occurred_at' end
                    || case when has_contact_id then '' else ', contact_id' end,
                    3
                )
        when 'unknown_workspace' then workspace_id
        when 'unknown_event_type' then {{ trimmed('landed_event_type') }}
        when 'invalid_event_id'
            then
                case
                    when {{ is_shortened_id('landed_event_id') }} then {{ trimmed('landed_event_id') }}
                    when event_type = 'connected' and {{ is_shortened_id('channel_id') }} then channel_id
                    when event_type = 'connected' and {{ is_shortened_id('message_id') }} then message_id
                    else user_id
                end
        when 'invalid_contact_id'
            then
                case
                    when contact_id > 0 then {{ trimmed('landed_merged_contact_id') }}
                    else {{ trimmed('landed_contact_id') }}
                end
        when 'invalid_occurred_at'
            then
                {{ trimmed('landed_occurred_at') }}
                || case
                    when route = 'events' and {{ matches(trimmed('landed_occurred_at'), iso_8601_without_offset()) }}
                        then ' (no offset)'
                    else ''
                end
        when 'source_not_allowed' then {{ trimmed('landed_source') }}
        when 'merged_into_itself' then {{ trimmed('landed_merged_contact_id') }}
    end as reject_detail,
    case when reject_reason is not null then coalesce(raw_record, {{ record_as_json() }}) end as raw_record
from localised
