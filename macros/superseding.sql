{#- Which of some accepted records are superseded (contract 4). -#}

{#-
    Of all records those that may share an event or a fact with another one. Nearly all share neither: eight-byte hashes
    find the others, and the exact rule looks at these alone.
-#}
{% macro seen_again(records) -%}
    select * from {{ records }}
    where
        event_key in (select event_key from {{ records }} group by event_key having count(*) > 1)
        or fact_key in (select fact_key from {{ records }} group by fact_key having count(*) > 1)
{%- endmacro %}

{#-
    The superseded of some records. These hold, for each record whose state is asked for, every record with the same event
    id and every record of the same contact that may be of the same fact.
-#}
{% macro superseded_among(records) -%}
    with preferences as (
        select
            records.*,
            routes.precedence as route_precedence
        from {{ records }} as records
        inner join {{ ref('routes') }} as routes on records.route = routes.route
    ),

    -- First: the same event, sent again. The last loaded record of an event id stands.
    by_recency as (
        select
            preferences.*,
            row_number() over (partition by workspace_id, event_id order by file_id desc, source_line desc) as recency
        from preferences
    ),

    -- Then: the same fact, by another route or id.
    by_preference as (
        select
            by_recency.*,
            row_number() over same_fact as preference,
            first_value(event_id) over same_fact as preferred_event_id
        from by_recency
        where recency = 1
        window same_fact as (
            partition by {{ natural_key('by_recency') | join(', ') }}
            order by route_precedence, occurred_at, event_id
        )
    )

    select
        {{ event_columns() | join(',\n        ') }},
        'same_event' as superseded_as,
        cast(null as varchar) as standing_event_id
    from by_recency
    where recency > 1
    union all
    select
        {{ event_columns() | join(',\n        ') }},
        'same_fact' as superseded_as,
        preferred_event_id as standing_event_id
    from by_preference
    where preference > 1
{%- endmacro %}

{#-
    What makes two events one fact: workspace, type and contact, and for connected the channel, for merged the contact
    that was merged away or, where that is unknown, the second.
-#}
{% macro natural_key(events, channel_id=none) -%}
    {{ return([
        events ~ '.workspace_id',
        events ~ '.event_type',
        events ~ '.contact_id',
        channel_id or (events ~ '.channel_id'),
        events ~ '.merged_contact_id',
        "case when " ~ events ~ ".event_type = 'merged' and " ~ events ~ ".merged_contact_id is null then date_trunc('second', "
        ~ events ~ ".occurred_at) end"
    ]) }}
{%- endmacro %}
