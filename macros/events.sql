{#- What is made of judged records: for all of them in a view, and in an incremental run for those that it touches. -#}

{#- The types of event, as in the seed `event_types`. -#}
{% macro event_types() -%}
    {{ return(['added', 'connected', 'deleted', 'merged']) }}
{%- endmacro %}

{#- Why a record is rejected, in the order in which the reasons are checked (contract 4); the last one is a directory's. -#}
{% macro reject_reasons() -%}
    {{ return([
        'malformed_record', 'missing_field', 'unknown_workspace', 'unknown_event_type', 'invalid_event_id',
        'invalid_contact_id', 'invalid_occurred_at', 'source_not_allowed', 'merged_into_itself', 'invalid_deleted_at'
    ]) }}
{%- endmacro %}

{#- What an accepted record has, whatever table it is in. Its references are what it has for user and channel. -#}
{% macro event_columns() -%}
    {{ return([
        'batch_id', 'file_id', 'source_line', 'workspace_id', 'route', 'event_id', 'event_type', 'occurred_at',
        'occurred_at_local', 'report_date', 'contact_id', 'contact_name', 'source', 'unmatched_source', 'user_reference',
        'channel_reference', 'merged_contact_id', 'message_id', 'event_key'
    ]) }}
{%- endmacro %}

{#-
    Some accepted records, called `events`, with the users and channels that the latest directories know by the id or the
    name that the event has (contract 5). A condition may follow.
-#}
{% macro resolved_events(events, other_columns=[]) -%}
    select
        {%- for column in event_columns() + other_columns %}
        events.{{ column }},
        {%- endfor %}
        coalesce(users.id, events.user_reference) as user_id,
        coalesce(users.shown_name, events.user_reference) as user_name,
        coalesce(channels.id, events.channel_reference) as channel_id,
        coalesce(channels.shown_name, events.channel_reference, 'Unknown') as channel_name
    from {{ events }} as events
    left join {{ ref('int_directory_references') }} as users
        on
            {{ refers_to('users', 'user', 'events', 'user_reference') }}
    left join {{ ref('int_directory_references') }} as channels
        on
            {{ refers_to('channels', 'channel', 'events', 'channel_reference') }}
{%- endmacro %}

{#- The standing of some accepted events: what counts. -#}
{% macro standing_events(accepted) -%}
    select
        {%- for column in event_columns() %}
        events.{{ column }},
        {%- endfor %}
        events.user_id,
        events.user_name,
        events.channel_id,
        events.channel_name,
        {{ one_of('sources.source_label', 'event_sources', 'source_label') }} as source_label
    from {{ accepted }} as events
    inner join {{ ref('dim_source') }} as sources on events.source = sources.source
    left join {{ ref('int_superseded_events') }} as superseded
        on events.file_id = superseded.file_id and events.source_line = superseded.source_line
    -- Half the cost of NOT EXISTS on two columns (10 million events, one fact: 2.0 against 4.5 CPU-seconds).
    where superseded.file_id is null
{%- endmacro %}

{#-
    The facts counted by day: all of them, or those of some days and types of event. One type at a time: that a type is to
    be counted again on a day is then seen from workspace and day alone (10 million events, a tick of 10,000: 0.2
    CPU-seconds against 0.35). A source becomes a text when it is counted (all of 10 million: 0.9 against 1.2).
-#}
{% macro daily_counts(of_days=none) -%}
    {% for event_type in event_types() -%}
    {%- set channel_id = 'facts.channel_id' if event_type == 'connected' else 'cast(null as varchar)' -%}
    select
        facts.workspace_id,
        facts.report_date,
        '{{ event_type }}' as event_type,
        cast(facts.source as varchar) as source,
        {{ channel_id }} as channel_id,
        facts.user_id,
        count(*) as contacts,
        min(facts.occurred_at) as first_event_at,
        max(facts.occurred_at) as last_event_at
    from {{ ref('fct_contacts_' ~ event_type) }} as facts
    {% if of_days is not none -%}
    where
        (facts.workspace_id, facts.report_date) in (
            select workspace_id, report_date from {{ of_days }}
            where event_type = '{{ event_type }}'
        )
    {%- endif %}
    group by facts.workspace_id, facts.report_date, facts.source, {{ channel_id }}, facts.user_id
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}
