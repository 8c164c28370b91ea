{#- Users and channels: how they are shown, and what an event means that names one (contract 5). -#}

{#- A deleted user is shown by id, as on the page. -#}
{% macro shown_user_name() -%}
    case when is_deleted then user_id else coalesce(user_name, user_id) end
{%- endmacro %}

{#- A deleted channel keeps its name. -#}
{% macro shown_channel_name() -%}
    coalesce(channel_name, channel_id)
{%- endmacro %}

{#-
    What a listing of the API lacks that the listing before it had, as rows of the later listing; a line's number is
    that of the earlier listing, negated. `listed` has the rows of all listings of this `kind` of file.
-#}
{% macro disappeared_from_listing(kind, listed, id) -%}
    select
        listings.batch_id,
        listings.file_id,
        listings.loaded_at as noticed_at,
        -before.source_line as source_line,
        before.* exclude (batch_id, file_id, source_line)
    from (
        select
            *,
            lag(file_id) over (partition by workspace_folder order by file_id) as file_id_before
        from {{ source('raw', 'files') }}
        where kind = '{{ kind }}'
    ) as listings
    inner join {{ listed }} as before on listings.file_id_before = before.file_id
    left join {{ listed }} as now on listings.file_id = now.file_id and before.{{ id }} = now.{{ id }}
    where listings.batch_id > {{ last_built_batch() }} and now.file_id is null and before.{{ id }} is not null
{%- endmacro %}

{#-
    What a text stands for that an event has for a user or a channel: the id itself, or the name that one alone bears.
    Digits are always an id. `up_to` is a batch: what the directories said then.
-#}
{% macro directory_references(up_to=none) -%}
    -- depends_on: {{ ref('stg_workspaces') }}
    with listed as (
        select
            'user' as directory,
            {{ listed_workspace('workspace_id') }} as workspace_id,
            user_id as id,
            user_name as name,
            {{ shown_user_name() }} as shown_name
        from {{ latest_entries('stg_users', 'user_id', up_to) }}
        union all
        select
            'channel' as directory,
            {{ listed_workspace('workspace_id') }} as workspace_id,
            channel_id as id,
            channel_name as name,
            {{ shown_channel_name() }} as shown_name
        from {{ latest_entries('stg_channels', 'channel_id', up_to) }}
    ),

    entries as (
        select * from listed
        where workspace_id is not null
    ),

    unique_names as (
        select
            directory,
            workspace_id,
            name as reference,
            min(id) as id,
            min(shown_name) as shown_name
        from entries
        where not {{ is_id('name') }}
        group by directory, workspace_id, name
        having count(*) = 1
    )

    select
        directory,
        workspace_id,
        id as reference,
        id,
        shown_name
    from entries
    union all
    select unique_names.*
    from unique_names
    left join entries
        on
            unique_names.directory = entries.directory
            and unique_names.workspace_id = entries.workspace_id
            and unique_names.reference = entries.id
    where entries.id is null
{%- endmacro %}

{#- The latest row of an id wins (contract 5); with `up_to`, of those that were there when that batch was built. -#}
{% macro latest_entries(model, id, up_to=none) -%}
    (
        select * from {{ ref(model) }}
        {% if up_to is not none %} where batch_id <= {{ up_to }} {% endif %}
        qualify row_number() over (partition by workspace_id, {{ id }} order by file_id desc, source_line desc) = 1
    )
{%- endmacro %}
