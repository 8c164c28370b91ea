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
            records.*,
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
    less_detailed as (
        select
            vague.file_id,
            vague.source_line,
            vague.workspace_id,
            vague.yields_to_log,
            min_by(
                exact.event_id, {{ composite(['exact.precedence', 'exact.occurred_at', 'exact.event_id']) }}
            ) as exact_event_id
        from latest as vague
        inner join latest as exact
            on
                vague.workspace_id = exact.workspace_id
                and vague.event_type = exact.event_type
                and vague.contact_id = exact.contact_id
                and date_trunc('second', vague.occurred_at) = date_trunc('second', exact.occurred_at)
        where vague.lacks_detail and not exact.lacks_detail and not vague.is_failed and not exact.is_failed
        group by vague.file_id, vague.source_line, vague.workspace_id, vague.yields_to_log
    ),

    -- Rule 3, the same fact by another route or id.
    by_preference as (
        select
            latest.*,
            row_number() over same_fact as preference,
            first_value(latest.event_id) over same_fact as preferred_event_id
        from latest
        left join less_detailed
            on latest.file_id = less_detailed.file_id and latest.source_line = less_detailed.source_line
        where not latest.is_failed and less_detailed.file_id is null
        window same_fact as (
            partition by {{ natural_key('latest') | join(', ') }}
            order by latest.precedence, latest.occurred_at, latest.event_id
        )
    ),

    -- A log with less detail lists the event nevertheless.
    listed_with_less_detail as (
        select distinct
            by_preference.workspace_id,
            by_preference.preferred_event_id as event_id
        from less_detailed
        inner join by_preference
            on
                less_detailed.workspace_id = by_preference.workspace_id
                and less_detailed.exact_event_id = by_preference.event_id
        where not less_detailed.yields_to_log
    ),

    -- Rule 4, not in the log of a day that the log covers completely.
    not_in_log as (
        select by_preference.*
        from by_preference
        inner join {{ ref('int_fully_covered_days') }} as covered
            on by_preference.workspace_id = covered.workspace_id and by_preference.report_date = covered.report_date
        left join listed_with_less_detail as listed
            on by_preference.workspace_id = listed.workspace_id and by_preference.event_id = listed.event_id
        where
            by_preference.preference = 1
            and by_preference.event_type = 'connected'
            and by_preference.yields_to_log
            and listed.event_id is null
    ),

    -- For each event that rule 1 and failed messages left: the event that stands in the end.
    outcomes as (
        select
            by_preference.workspace_id,
            by_preference.event_id,
            case when not_in_log.event_id is null then by_preference.preferred_event_id end as standing_event_id
        from by_preference
        left join not_in_log
            on
                by_preference.workspace_id = not_in_log.workspace_id
                and by_preference.preferred_event_id = not_in_log.event_id
    )

    select
        {{ event_columns() | join(',\n        ') }},
        'same_event' as superseded_as,
        cast(null as string) as standing_event_id
    from by_recency
    where recency > 1
    union all
    select
        {{ event_columns() | join(',\n        ') }},
        'failed_message' as superseded_as,
        cast(null as string) as standing_event_id
    from latest
    where is_failed
    union all
    select
        {%- for column in event_columns() %}
        latest.{{ column }},
        {%- endfor %}
        'less_detail' as superseded_as,
        outcomes.standing_event_id
    from less_detailed
    inner join latest on less_detailed.file_id = latest.file_id and less_detailed.source_line = latest.source_line
    inner join outcomes
        on less_detailed.workspace_id = outcomes.workspace_id and less_detailed.exact_event_id = outcomes.event_id
    union all
    select
        {%- for column in event_columns() %}
        by_preference.{{ column }},
        {%- endfor %}
        'same_fact' as superseded_as,
        outcomes.standing_event_id
    from by_preference
    inner join outcomes
        on by_preference.workspace_id = outcomes.workspace_id and by_preference.event_id = outcomes.event_id
    where by_preference.preference > 1
    union all
    select
        {{ event_columns() | join(',\n        ') }},
        'not_in_log' as superseded_as,
        cast(null as string) as standing_event_id
    from not_in_log
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
    The event that stands in place of a superseded record. If the newest version of an event is superseded too, its older
    versions give way to the same event.
-#}
{% macro superseded_by(superseded, newest_version) -%}
    case
        when {{ superseded }}.superseded_as <> 'same_event' then {{ superseded }}.standing_event_id
        when {{ newest_version }}.event_id is not null then {{ newest_version }}.standing_event_id
        else {{ superseded }}.event_id
    end
{%- endmacro %}

{#-
    Joins the newest version of the event of a superseded record, if that is superseded as well. The join has no condition on
    the left side alone: with one DuckDB compares each row with each (10 million events: 211 s).
-#}
{% macro join_newest_version(superseded, newest_version) -%}
    left join {{ ref('int_superseded_events') }} as {{ newest_version }}
    on
        {{ newest_version }}.superseded_as <> 'same_event'
        and {{ superseded }}.workspace_id = {{ newest_version }}.workspace_id
        and {{ superseded }}.event_id = {{ newest_version }}.event_id
{%- endmacro %}
