{#- Users and channels: their snapshots, how they are shown, and which of them an event refers to (contract 5). -#}

{#- A deleted user is shown by its id, as on the report page. -#}
{% macro shown_user_name() -%}
    case when is_deleted then user_id else coalesce(user_name, user_id) end
{%- endmacro %}

{#- A deleted channel keeps its name. -#}
{% macro shown_channel_name() -%}
    coalesce(channel_name, channel_id)
{%- endmacro %}

{#- The name of a channel that is not known, in English or French. -#}
{% macro unknown_channel(language='en') -%}
    '{{ {'en': 'Unknown', 'fr': 'Inconnu'}[language] }}'
{%- endmacro %}

{#- The text of `deleted_at`. NULL for placeholders that mean "not deleted", and for a date of zeros. -#}
{% macro deletion_text(column) -%}
    case
        when lower({{ trimmed(column) }}) in ('null', {{ text_literal('\\n') }}, '-', 'none', 'nan', 'false') then null
        when {{ matches(trimmed(column), '^0[0TtZz :./+-]*$') }} then null
        else {{ trimmed(column) }}
    end
{%- endmacro %}

{#-
    The snapshots of new batches for a directory, `user` or `channel`: the rows of its files and of the API's listings, the
    rows that a listing no longer has, and the names in webhooks.
-#}
{% macro directory_snapshots(directory) -%}
    select
        batch_id,
        file_id,
        source_line,
        workspace_id,
        id,
        name,
        type,
        deleted_at,
        true as is_listed
    from {{ ref('stg_directory_rows') }}
    where directory = '{{ directory }}' and reject_reason is null and batch_id > {{ last_built_batch() }}
    union all
    select
        batch_id,
        file_id,
        source_line,
        workspace_id,
        id,
        name,
        type,
        deleted_at,
        true as is_listed
    from ({{ disappeared_from_listing('api_' ~ directory ~ 's') }}) as disappeared
    union all
    select
        batch_id,
        file_id,
        source_line,
        workspace_id,
        id,
        name,
        type,
        {{ no_instant() }} as deleted_at,
        false as is_listed
    from ({{ named_by_webhooks(directory) }}) as named
{%- endmacro %}

{#-
    The ids that an earlier listing of the API had and a new one lacks, as rows of the new one, numbered from -1 down. A
    listing with a rejected row proves no absence. A complete listing is therefore compared with all listings since the
    complete one before it.
-#}
{% macro disappeared_from_listing(kind) -%}
    with listed as (
        select * from {{ ref('stg_directory_rows') }}
        where route = '{{ kind }}'
    ),

    complete_listings as (
        select
            batch_id,
            file_id,
            loaded_at,
            workspace_folder as workspace_id,
            coalesce(lag(file_id) over (partition by workspace_folder order by file_id), 0) as complete_before
        from {{ source('raw', 'files') }}
        where kind = '{{ kind }}' and file_id not in (select file_id from listed where reject_reason is not null)
    ),

    listed_before as (
        select
            complete_listings.batch_id,
            complete_listings.file_id,
            complete_listings.loaded_at,
            complete_listings.workspace_id,
            listed.id,
            listed.name,
            listed.type
        from complete_listings
        inner join listed
            on
                complete_listings.workspace_id = listed.workspace_id
                and listed.file_id >= complete_listings.complete_before
                and listed.file_id < complete_listings.file_id
        where complete_listings.batch_id > {{ last_built_batch() }} and listed.reject_reason is null
        qualify
            row_number() over (
                partition by complete_listings.file_id, listed.id order by listed.file_id desc, listed.source_line desc
            ) = 1
    )

    select
        listed_before.batch_id,
        listed_before.file_id,
        -row_number() over (partition by listed_before.file_id order by listed_before.id) as source_line,
        listed_before.workspace_id,
        listed_before.id,
        listed_before.name,
        listed_before.type,
        listed_before.loaded_at as deleted_at
    from listed_before
    left join listed as now on listed_before.file_id = now.file_id and listed_before.id = now.id
    where now.file_id is null
{%- endmacro %}

{#- The names of ids in webhooks of new batches. One row per file, id and name, of the last line that has it. -#}
{% macro named_by_webhooks(directory) -%}
    {%- set id, name, type = {
        'user': ('user_id', full_name('user_first_name', 'user_last_name'), 'cast(null as string)'),
        'channel': ('channel_id', trimmed('channel_name'), trimmed('channel_type')),
    }[directory] -%}
    select *
    from (
        select
            batch_id,
            file_id,
            source_line,
            workspace_folder as workspace_id,
            {{ id_text(id) }} as id,
            {{ name }} as name,
            {{ type }} as type
        from {{ source('raw', 'webhooks') }}
        where batch_id > {{ last_built_batch() }} and parse_error is null
    ) as webhooks
    where id is not null and name is not null and not {{ is_shortened_id('id') }}
    qualify row_number() over (partition by file_id, id, name order by source_line desc) = 1
{%- endmacro %}

{#-
    The id that a reference in an event stands for, and for which times of events (contract 5). A reference is an id or a
    name; digits are always an id. With `up_to`, a batch: by the directories as they were then.
-#}
{% macro directory_references(up_to=none) -%}
    -- depends_on: {{ ref('stg_workspaces') }}
    with snapshots as (
        select
            'user' as directory,
            {{ listed_workspace('workspace_id') }} as workspace_id,
            user_id as id,
            user_name as name,
            {{ shown_user_name() }} as shown_name,
            deleted_at,
            is_latest
        from {{ directory_history('stg_users', 'user_id', up_to) }}
        union all
        select
            'channel' as directory,
            {{ listed_workspace('workspace_id') }} as workspace_id,
            channel_id as id,
            channel_name as name,
            {{ shown_channel_name() }} as shown_name,
            deleted_at,
            is_latest
        from {{ directory_history('stg_channels', 'channel_id', up_to) }}
    ),

    entries as (
        select * from snapshots
        where is_latest and workspace_id is not null
    ),

    -- Who has a name now takes precedence over who had it earlier.
    names as (
        select
            entries.directory,
            entries.workspace_id,
            snapshots.name,
            entries.id,
            entries.shown_name,
            coalesce(entries.deleted_at, {{ end_of_time() }}) as valid_to,
            bool_or(snapshots.is_latest) as has_it_now
        from snapshots
        inner join entries
            on
                snapshots.directory = entries.directory
                and snapshots.workspace_id = entries.workspace_id
                and snapshots.id = entries.id
        where snapshots.name is not null and not {{ is_id('snapshots.name') }}
        group by
            entries.directory, entries.workspace_id, snapshots.name, entries.id, entries.shown_name, entries.deleted_at
    ),

    candidates as (
        select * from names
        qualify has_it_now or not bool_or(has_it_now) over (partition by directory, workspace_id, name)
    ),

    -- A name stands for the candidate that was the first to be deleted after the event.
    by_deletion as (
        select
            directory,
            workspace_id,
            name,
            valid_to,
            min(id) as id,
            min(shown_name) as shown_name,
            count(*) as candidates,
            coalesce(
                lag(valid_to) over (partition by directory, workspace_id, name order by valid_to), {{ beginning_of_time() }}
            ) as valid_from
        from candidates
        group by directory, workspace_id, name, valid_to
    )

    select
        directory,
        workspace_id,
        id as reference,
        {{ beginning_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        id,
        shown_name
    from entries
    union all
    select
        by_deletion.directory,
        by_deletion.workspace_id,
        by_deletion.name as reference,
        by_deletion.valid_from,
        by_deletion.valid_to,
        by_deletion.id,
        by_deletion.shown_name
    from by_deletion
    left join entries
        on
            by_deletion.directory = entries.directory
            and by_deletion.workspace_id = entries.workspace_id
            and by_deletion.name = entries.id
    where by_deletion.candidates = 1 and entries.id is null
{%- endmacro %}

{#-
    The snapshots that count for each id: those of files and listings, or those of webhooks where there are no others. With
    `up_to`, a batch: of the snapshots up to it.
-#}
{% macro directory_history(model, id, up_to=none) -%}
    (
        select
            *,
            row_number() over (partition by workspace_id, {{ id }} order by file_id desc, source_line desc) = 1 as is_latest
        from (
            select * from {{ ref(model) }}
            {% if up_to is not none %} where batch_id <= {{ up_to }} {% endif %}
            qualify is_listed or not bool_or(is_listed) over (partition by workspace_id, {{ id }})
        ) as effective
    )
{%- endmacro %}

{#- The latest snapshot of each id (contract 5). -#}
{% macro latest_entries(model, id) -%}
    (select * from {{ directory_history(model, id) }} where is_latest)
{%- endmacro %}

{#- The condition that joins `int_directory_references` to an event by its reference. -#}
{% macro refers_to(references, directory, events, reference) -%}
    {{ events }}.workspace_id = {{ references }}.workspace_id
            and {{ events }}.{{ reference }} = {{ references }}.reference
            and {{ events }}.occurred_at >= {{ references }}.valid_from
            and {{ events }}.occurred_at < {{ references }}.valid_to
            and {{ references }}.directory = '{{ directory }}'
{%- endmacro %}
