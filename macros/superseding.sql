{#-
    Which of some accepted records are superseded (contract 4). `records` holds, for each record whose state is asked
    for, every record with the same event id and every record of the same contact.

    Nearly all records share neither an event id nor a fact with another one. Eight-byte hashes find those that may;
    the exact rule looks at these alone.
-#}
{% macro superseded_among(records) -%}
    with event_keys_sent_again as (
        select event_key from {{ records }} group by event_key having count(*) > 1
    ),

    -- First: the same event, sent again. The last loaded record of an event id stands.
    by_recency as (
        select
            file_id,
            source_line,
            row_number() over (partition by workspace_id, event_id order by file_id desc, source_line desc) as recency
        from {{ records }}
        where event_key in (select event_key from event_keys_sent_again)
    ),

    sent_again as (
        select file_id, source_line from by_recency where recency > 1
    ),

    -- Then: the same fact, by another route or id. The natural key of a fact is its type and contact, and for
    -- connected the channel, for merged the contact that was merged away or, where that is unknown, the second.
    facts as (
        select
            records.file_id,
            records.source_line,
            records.workspace_id,
            records.event_type,
            records.contact_id,
            records.channel_id,
            records.merged_contact_id,
            case
                when records.event_type = 'merged' and records.merged_contact_id is null
                    then date_trunc('second', records.occurred_at)
            end as merged_at_second,
            records.route_precedence,
            records.occurred_at,
            records.event_id
        from {{ records }} as records
        left join sent_again on records.file_id = sent_again.file_id and records.source_line = sent_again.source_line
        where sent_again.file_id is null
    ),

    fact_keys as (
        select
            facts.*,
            {{ hash_of([
                'workspace_id', 'event_type', 'contact_id', 'channel_id', 'merged_contact_id', 'merged_at_second'
            ]) }} as fact_key
        from facts
    ),

    fact_keys_told_again as (
        select fact_key from fact_keys group by fact_key having count(*) > 1
    ),

    by_preference as (
        select
            file_id,
            source_line,
            row_number() over same_fact as preference,
            first_value(event_id) over same_fact as standing_event_id
        from fact_keys
        where fact_key in (select fact_key from fact_keys_told_again)
        window same_fact as (
            partition by workspace_id, event_type, contact_id, channel_id, merged_contact_id, merged_at_second
            order by route_precedence, occurred_at, event_id
        )
    )

    select file_id, source_line, 'same_event' as superseded_as, null as standing_event_id from sent_again
    union all
    select file_id, source_line, 'same_fact' as superseded_as, standing_event_id from by_preference where preference > 1
{%- endmacro %}
