{#-
    Which of some accepted records are superseded (contract 4). `records` holds, for each record whose state is asked
    for, every record with the same event id and every record of the same contact.

    Nearly all records share neither an event id nor a fact with another one. Eight-byte hashes find those that may;
    the exact rule looks at these alone.
-#}
{% macro superseded_among(records) -%}
    with keyed as (
        select
            *,
            {{ hash_of(['workspace_id'] + natural_key()) }} as fact_key
        from {{ records }}
    ),

    event_keys_seen_again as (
        select event_key from {{ records }} group by event_key having count(*) > 1
    ),

    fact_keys_seen_again as (
        select fact_key from keyed group by fact_key having count(*) > 1
    ),

    candidates as (
        select * from keyed
        where
            event_key in (select event_key from event_keys_seen_again)
            or fact_key in (select fact_key from fact_keys_seen_again)
    ),

    -- First: the same event, sent again. The last loaded record of an event id stands.
    by_recency as (
        select
            candidates.*,
            row_number() over (partition by workspace_id, event_id order by file_id desc, source_line desc) as recency
        from candidates
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
            partition by workspace_id, {{ natural_key() | join(', ') }}
            order by route_precedence, occurred_at, event_id
        )
    )

    select
        batch_id,
        file_id,
        source_line,
        workspace_id,
        event_type,
        event_id,
        'same_event' as superseded_as,
        cast(null as varchar) as standing_event_id
    from by_recency
    where recency > 1
    union all
    select
        batch_id,
        file_id,
        source_line,
        workspace_id,
        event_type,
        event_id,
        'same_fact' as superseded_as,
        preferred_event_id as standing_event_id
    from by_preference
    where preference > 1
{%- endmacro %}

{#-
    What makes two events of a workspace one fact: type and contact, and for connected the channel, for merged the contact
    that was merged away or, where that is unknown, the second.
-#}
{% macro natural_key() -%}
    {{ return(
        ['event_type', 'contact_id', 'channel_id', 'merged_contact_id',
         "case when event_type = 'merged' and merged_contact_id is null then date_trunc('second', occurred_at) end"]
    ) }}
{%- endmacro %}
