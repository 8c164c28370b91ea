{#- Which accepted records are superseded (contract 4). -#}

{#-
    The records that can be superseded, and those that can supersede them. Nearly all records share neither event nor fact
    with another one. Hashes of eight bytes find the others, and the exact rules are applied to these only.
-#}
{% macro candidates_among(records) -%}
    with without_detail as (
        select
            workspace_id,
            event_type,
            contact_id
        from {{ records }}
        where event_key is not null and {{ lacks_detail(records, 'channel_reference') }}
    )

    select * from {{ records }}
    where
        event_key in (select event_key from {{ records }} group by event_key having count(*) > 1)
        or fact_key in (select fact_key from {{ records }} group by fact_key having count(*) > 1)
        or (
            event_key is not null
            and event_type in ('connected', 'merged')
            and (
                (workspace_id, event_type, contact_id) in (select workspace_id, event_type, contact_id from without_detail)
                or (workspace_id, message_id) in (select workspace_id, message_id from {{ ref('int_failed_messages') }})
                or (
                    route in (select route from {{ ref('routes') }} where yields_to_log)
                    and (workspace_id, report_date) in (
                        select workspace_id, report_date from {{ ref('int_fully_covered_days') }}
                    )
                )
            )
        )
{%- endmacro %}

{#-
    The superseded ones of some records. For each record whose state is needed, `records` has to hold every record with the
    same event id, and every record of the same contact that may be the same fact. Each rule applies to the records that the
    rules before it left.
-#}
{% macro superseded_among(records) -%}
    with by_recency as (
        select
            records.file_id,
            records.source_line,
            records.workspace_id,
            records.event_id,
            records.event_type,
            records.occurred_at,
            records.report_date,
            records.contact_id,
            records.channel_id,
            records.merged_contact_id,
            records.message_id,
            routes.precedence,
            routes.yields_to_log,
            row_number() over (
                partition by records.workspace_id, records.event_id order by records.file_id desc, records.source_line desc
            ) as recency
        from {{ records }} as records
        inner join {{ ref('routes') }} as routes on records.route = routes.route
    ),

    -- Rule 1, the same event sent again: the last loaded record of an event id stands.
    latest as (
        select
            by_recency.*,
            failed.message_id is not null as is_failed,
            {{ lacks_detail('by_recency', 'channel_id') }} as lacks_detail
        from by_recency
        left join {{ ref('int_failed_messages') }} as failed
            on by_recency.workspace_id = failed.workspace_id and by_recency.message_id = failed.message_id
        where by_recency.recency = 1
    ),

    -- Rule 2, less detail: it gives way to an event of the same contact and second that has the detail.
    by_detail as (
        select
            *,
            case
                when lacks_detail and not is_failed and not first_value(lacks_detail or is_failed) over same_second
                    then first_value(event_id) over same_second
            end as exact_event_id
        from latest
        window same_second as (
            partition by workspace_id, event_type, contact_id, date_trunc('second', occurred_at)
            order by lacks_detail or is_failed, precedence, occurred_at, event_id
        )
    ),

    -- A log with less detail lists the event nevertheless.
    listed_with_less_detail as (
        select distinct
            workspace_id,
            exact_event_id as event_id
        from by_detail
        where exact_event_id is not null and not yields_to_log
    ),

    -- Rule 3, the same fact by another route or id. Rule 4, not in the log of a day that the log covers completely. For each
    -- event that the rules before left: the event that stands in the end.
    outcomes as (
        select
            by_detail.workspace_id,
            by_detail.event_id,
            row_number() over by_preference as preference,
            case
                when
                    bool_or(listed.event_id is not null) over same_fact
                    or not first_value(
                        by_detail.event_type = 'connected' and by_detail.yields_to_log and covered.report_date is not null
                    ) over same_fact
                    then first_value(by_detail.event_id) over same_fact
            end as standing_event_id
        from by_detail
        left join listed_with_less_detail as listed
            on by_detail.workspace_id = listed.workspace_id and by_detail.event_id = listed.event_id
        left join {{ ref('int_fully_covered_days') }} as covered
            on by_detail.workspace_id = covered.workspace_id and by_detail.report_date = covered.report_date
        where not by_detail.is_failed and by_detail.exact_event_id is null
        window
            by_preference as (
                partition by {{ natural_key('by_detail') | join(', ') }}
                order by by_detail.precedence, by_detail.occurred_at, by_detail.event_id
            ),
            same_fact as (
                partition by {{ natural_key('by_detail') | join(', ') }}
                order by by_detail.precedence, by_detail.occurred_at, by_detail.event_id
                rows between unbounded preceding and unbounded following
            )
    ),

    superseded as (
        select
            file_id,
            source_line,
            'same_event' as superseded_as,
            cast(null as string) as standing_event_id
        from by_recency
        where recency > 1
        union all
        select
            by_detail.file_id,
            by_detail.source_line,
            case
                when by_detail.is_failed then 'failed_message'
                when by_detail.exact_event_id is not null then 'less_detail'
                when outcomes.preference > 1 then 'same_fact'
                when outcomes.standing_event_id is null then 'not_in_log'
            end as superseded_as,
            outcomes.standing_event_id
        from by_detail
        left join outcomes
            on
                by_detail.workspace_id = outcomes.workspace_id
                and coalesce(by_detail.exact_event_id, by_detail.event_id) = outcomes.event_id
    )

    -- The other columns are read of the few records that are superseded.
    select
        {%- for column in event_columns() %}
        records.{{ column }},
        {%- endfor %}
        superseded.superseded_as,
        superseded.standing_event_id
    from superseded
    inner join {{ records }} as records
        on superseded.file_id = records.file_id and superseded.source_line = records.source_line
    where superseded.superseded_as is not null
{%- endmacro %}

{#- Whether an event lacks the channel that was connected, or the contact that was merged away. -#}
{% macro lacks_detail(events, channel) -%}
    (
        ({{ events }}.event_type = 'connected' and {{ events }}.{{ channel }} is null)
        or ({{ events }}.event_type = 'merged' and {{ events }}.merged_contact_id is null)
    )
{%- endmacro %}

{#-
    The natural key, which two events of the same fact share: workspace, type and contact; for connected the channel; for
    merged the contact that was merged away or, where that is unknown, the second.
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

{#- The rule by which a record is superseded, as published: a failed message is the same event, reported again. -#}
{% macro published_reason(superseded) -%}
    case when {{ superseded }}.superseded_as = 'failed_message' then 'same_event' else {{ superseded }}.superseded_as end
{%- endmacro %}

{#-
    The standing event that supersedes a record. If the newest version of an event is superseded, its older versions are
    superseded by the same event.
-#}
{% macro superseded_by(superseded, newest_version) -%}
    case
        when {{ superseded }}.superseded_as <> 'same_event' then {{ superseded }}.standing_event_id
        when {{ newest_version }}.event_id is not null then {{ newest_version }}.standing_event_id
        else {{ superseded }}.event_id
    end
{%- endmacro %}

{#-
    Joins a superseded record to the newest version of its event, if that version is superseded as well. The join has no
    condition on the left side alone. With such a condition DuckDB uses a nested loop join (10 million events: 211 s).
-#}
{% macro join_newest_version(superseded, newest_version) -%}
    left join {{ ref('int_superseded_events') }} as {{ newest_version }}
    on
        {{ newest_version }}.superseded_as <> 'same_event'
        and {{ superseded }}.workspace_id = {{ newest_version }}.workspace_id
        and {{ superseded }}.event_id = {{ newest_version }}.event_id
{%- endmacro %}
