{#- What is made of judged records: for all of them in a view, and in an incremental run for those that it touches. -#}

{#-
    The accepted of some rows of stg_events. Users and channels are those that today's directories know by the id or the
    name that the event has (contract 5).
-#}
{% macro accepted_events(events) -%}
    select
        events.batch_id,
        events.file_id,
        events.source_line,
        events.workspace_id,
        {{ one_of('events.route', 'routes', 'route') }} as route,
        routes.precedence as route_precedence,
        events.event_id,
        events.event_type,
        events.occurred_at,
        events.occurred_at_local,
        events.report_date,
        events.contact_id,
        events.contact_name,
        events.source,
        events.user_id as user_reference,
        coalesce(users.id, events.user_id) as user_id,
        coalesce(users.shown_name, events.user_id) as user_name,
        events.channel_id as channel_reference,
        coalesce(channels.id, events.channel_id) as channel_id,
        coalesce(channels.shown_name, events.channel_id, 'Unknown') as channel_name,
        events.merged_contact_id,
        events.event_key
    from {{ events }} as events
    inner join {{ ref('routes') }} as routes on events.route = routes.route
    left join {{ ref('int_directory_references') }} as users
        on
            events.workspace_id = users.workspace_id
            and events.user_id = users.reference
            and users.directory = 'user'
    left join {{ ref('int_directory_references') }} as channels
        on
            events.workspace_id = channels.workspace_id
            and events.channel_id = channels.reference
            and channels.directory = 'channel'
    where events.event_key is not null
{%- endmacro %}

{#- The standing of some accepted events: what counts. -#}
{% macro standing_events(accepted) -%}
    select
        events.batch_id,
        events.file_id,
        events.source_line,
        events.workspace_id,
        events.event_type,
        events.occurred_at,
        events.occurred_at_local,
        events.report_date,
        events.contact_id,
        events.merged_contact_id,
        events.contact_name,
        events.source,
        {{ one_of('sources.source_label', 'sources', 'source_label') }} as source_label,
        events.user_id,
        events.user_name,
        events.channel_id,
        events.channel_name,
        events.event_id,
        events.route
    from {{ accepted }} as events
    inner join {{ ref('dim_source') }} as sources on events.source = sources.source
    left join {{ ref('int_superseded_events') }} as superseded
        on events.file_id = superseded.file_id and events.source_line = superseded.source_line
    -- Half the cost of NOT EXISTS on two columns (10 million events, one fact: 2.0 against 4.5 CPU-seconds).
    where superseded.file_id is null
{%- endmacro %}

{#- The fact of a type of event, in the shape that all four have in common. -#}
{% macro contact_events(event_type) -%}
    select
        '{{ event_type }}' as event_type,
        workspace_id,
        report_date,
        occurred_at,
        {{ 'primary_contact_id' if event_type == 'merged' else 'contact_id' }} as contact_id,
        {{ 'merged_contact_id' if event_type == 'merged' else 'cast(null as bigint)' }} as merged_contact_id,
        contact_name,
        cast(source as varchar) as source,
        user_id,
        {{ 'channel_id' if event_type == 'connected' else 'cast(null as varchar)' }} as channel_id,
        event_id,
        file_id,
        source_line
    from {{ ref('fct_contacts_' ~ event_type) }}
{%- endmacro %}

{#-
    The facts counted by day: all of them, or those of some days and types of event. One type at a time: that a type is to
    be counted again on a day is then seen from workspace and day alone (10 million events, a tick of 10,000: 0.2
    CPU-seconds against 0.35).
-#}
{% macro daily_counts(of_days=none) -%}
    {% for event_type in ['added', 'connected', 'deleted', 'merged'] -%}
    select
        workspace_id,
        report_date,
        event_type,
        source,
        channel_id,
        user_id,
        count(*) as contacts,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at
    from ({{ contact_events(event_type) }}) as facts
    {% if of_days is not none -%}
    where
        (workspace_id, report_date) in (
            select workspace_id, report_date from {{ of_days }}
            where event_type = '{{ event_type }}'
        )
    {%- endif %}
    group by workspace_id, report_date, event_type, source, channel_id, user_id
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}
