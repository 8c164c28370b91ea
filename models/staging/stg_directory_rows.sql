-- Users and channels are validated like events (contract 2 and 5): a row that is rejected changes nothing.
{% set no_text = 'cast(null as string)' %}
{% set name_of_api_user = 'coalesce(' ~ full_name('first_name', 'last_name') ~ ', ' ~ trimmed('email') ~ ')' %}

with landed as (
    {% for route, directory, name, type, deleted_at in [
        ('users', 'user', trimmed('user_name'), no_text, deletion_text('deleted_at')),
        ('channels', 'channel', trimmed('channel_name'), trimmed('channel_type'), deletion_text('deleted_at')),
        ('api_users', 'user', name_of_api_user, no_text, no_text),
        ('api_channels', 'channel', trimmed('channel_name'), trimmed('channel_type'), no_text),
    ] -%}
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        '{{ route }}' as route,
        '{{ directory }}' as directory,
        parse_error,
        {{ id_text(directory ~ '_id') }} as id,
        {{ name }} as name,
        {{ type }} as type,
        {{ deleted_at }} as deleted_at_text,
        raw_record
    from {{ source('raw', route) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- A date alone is its midnight in the workspace's zone.
timed as (
    select
        *,
        case
            when {{ matches('deleted_at_text', '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') }} then deleted_at_text || ' 00:00'
            else deleted_at_text
        end as landed_occurred_at
    from landed
),

with_zone as (
    {{ with_wall_clock('timed') }}
),

with_deletion as (
    select
        *,
        {{ instant_of_wall_clock('landed_occurred_at') }} as deleted_at
    from with_zone
),

validated as (
    select
        *,
        case
            when parse_error is not null then 'malformed_record'
            when id is null then 'missing_field'
            when timezone is null then 'unknown_workspace'
            when {{ is_shortened_id('id') }} then 'invalid_event_id'
            when deleted_at_text is not null and deleted_at is null then 'invalid_deleted_at'
        end as reject_reason
    from with_deletion
)

select
    batch_id,
    file_id,
    source_line,
    loaded_at,
    workspace_id,
    route,
    directory,
    id,
    name,
    type,
    deleted_at,
    reject_reason,
    case reject_reason
        when 'malformed_record' then parse_error
        when 'missing_field' then directory || '_id'
        when 'unknown_workspace' then workspace_id
        when 'invalid_event_id' then id
        when 'invalid_deleted_at' then deleted_at_text
    end as reject_detail,
    case when reject_reason is not null then raw_record end as raw_record
from validated
