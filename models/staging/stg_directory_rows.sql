-- Users and channels are validated like events (contract 2 and 5): a row that cannot be used changes nothing.
with landed as (
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        'users' as route,
        'user' as directory,
        parse_error,
        {{ id_text('user_id') }} as id,
        {{ trimmed('user_name') }} as name,
        cast(null as varchar) as type,
        {{ deletion_text('deleted_at') }} as deleted_at_text,
        raw_record
    from {{ source('raw', 'users') }}
    union all
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        'channels' as route,
        'channel' as directory,
        parse_error,
        {{ id_text('channel_id') }} as id,
        {{ trimmed('channel_name') }} as name,
        {{ trimmed('channel_type') }} as type,
        {{ deletion_text('deleted_at') }} as deleted_at_text,
        raw_record
    from {{ source('raw', 'channels') }}
    union all
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        'api_users' as route,
        'user' as directory,
        parse_error,
        {{ id_text('user_id') }} as id,
        coalesce({{ full_name('first_name', 'last_name') }}, {{ trimmed('email') }}) as name,
        cast(null as varchar) as type,
        cast(null as varchar) as deleted_at_text,
        raw_record
    from {{ source('raw', 'api_users') }}
    union all
    select
        batch_id,
        file_id,
        source_line,
        loaded_at,
        workspace_folder as workspace_id,
        'api_channels' as route,
        'channel' as directory,
        parse_error,
        {{ id_text('channel_id') }} as id,
        {{ trimmed('channel_name') }} as name,
        {{ trimmed('channel_type') }} as type,
        cast(null as varchar) as deleted_at_text,
        raw_record
    from {{ source('raw', 'api_channels') }}
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
