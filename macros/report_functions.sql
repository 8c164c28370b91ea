{#-
    The parts of the table functions. In a table function the name of a parameter hides a column of the same name, so every
    column here is qualified.
-#}

{#- The value of a parameter. -#}
{% macro argument(name, type) -%}
    cast({{ name }} as {{ type }})
{%- endmacro %}

{#- Whether a parameter is a filter. -#}
{% macro is_given(name) -%}
    ({{ name }} is not null)
{%- endmacro %}

{#- Whether a contact's name is a filter. An empty text is none. -#}
{% macro is_name_given() -%}
    (coalesce({{ argument('contact_name', 'string') }}, '') <> '')
{%- endmacro %}

{#- The frequencies of a report. -#}
{% macro frequencies() -%}
    {{ return(['day', 'week', 'month', 'total']) }}
{%- endmacro %}

{#- The ranges that a report can be compared with. -#}
{% macro ranges_compared_with() -%}
    {{ return(['preceding', 'week', 'month', 'year']) }}
{%- endmacro %}

{#-
    The condition of the rows that pass the filters (contract 6). NULL is no filter. DuckDB makes constants of the arguments
    before it plans the query, so a filter that is not given costs nothing, and blocks outside of the dates are skipped.
    NULL in `channel_ids` is the unknown channel. Only connected events have a channel: with `channel_ids` the reports leave
    out all others.
-#}
{% macro passes_filters(events, contacts=['contact_id'], channels=false, first_date='start_date', any_date=false) -%}
    {%- set lists = {'user_ids': ['user_id'], 'sources': ['source'], 'contact_ids': contacts} -%}
    {%- if not any_date %}
    {%- set first_date, end_date = argument(first_date, 'date'), argument('end_date', 'date') %}
    -- The range is never empty: DuckDB would skip the whole report with an empty one, and so the errors of arguments.
    {{ events }}.report_date
    between coalesce(least({{ first_date }}, {{ end_date }}), date '0001-01-01')
    and coalesce(greatest({{ first_date }}, {{ end_date }}), date '9999-12-31') and
    {%- endif %}
    (not {{ is_given('workspace_id') }} or {{ events }}.workspace_id = {{ argument('workspace_id', 'string') }})
    {%- for name, columns in lists.items() %}
    and (
        not {{ is_given(name) }}
        {%- for column in columns %}
        or list_contains({{ argument(name, 'bigint[]' if name == 'contact_ids' else 'string[]') }}, {{ events }}.{{ column }})
        {%- endfor %}
    )
    {%- endfor %}
    {%- if channels %}
    and (
        not {{ is_given('channel_ids') }}
        or {{ has_value(argument('channel_ids', 'string[]'), events ~ '.channel_id') }}
    )
    {%- endif %}
{%- endmacro %}

{#-
    The condition of the names that contain the searched text, both in plain letters. An empty text is no filter. A text of
    accents alone matches nothing.
-#}
{% macro passes_contact_name(events) -%}
    {%- set searched = argument('contact_name', 'string') -%}
    (
        not {{ is_name_given() }}
        or (
            {{ has_plain_letters(searched) }}
            and contains({{ plain_letters(events ~ '.contact_name') }}, {{ plain_letters(searched) }})
        )
    )
{%- endmacro %}

{#- The columns of a fact that hold contacts. -#}
{% macro contacts_of(event_type) -%}
    {{ return(['primary_contact_id', 'merged_contact_id'] if event_type == 'merged' else ['contact_id']) }}
{%- endmacro %}

{#-
    One row per group of events that pass the filters, and their number. It reads the smallest table that has the columns of
    the given filters: the breakdown has no users, no contacts and no source of connected events; the daily counts have no
    contacts and no names. DuckDB leaves the other parts out of the plan. The filters are applied once, to all parts
    together: DuckDB would bind them again for each part (`component_states`, twelve parts: 6.2 against 5.4 ms).
    Without a name, its condition still costs each report 2 ms, because DuckDB binds it. With `any_date` all days are read,
    and none if a name is given: to search all names for one that never occurs took 7 s for ten million events.
-#}
{% macro filtered_counts(event_types, channels=false, first_date='start_date', any_date=false) -%}
    {%- set contacts_or_names = '(' ~ is_given('contact_ids') ~ ' or ' ~ is_name_given() ~ ')' -%}
    {%- set users_or_sources = '(' ~ is_given('user_ids') ~ (
        ' or ' ~ is_given('sources') if 'connected' in event_types else ''
    ) ~ ')' -%}
    select
        events.workspace_id,
        events.report_date,
        events.event_type,
        events.source,
        events.channel_id,
        events.contacts
    from (
        {%- for daily, user_id, is_read in [
            (ref('agg_breakdown_daily'), 'cast(null as string)', 'not ' ~ users_or_sources),
            (ref('agg_contacts_daily'), 'daily.user_id', users_or_sources),
        ] %}
        select
            daily.workspace_id,
            daily.report_date,
            daily.event_type,
            daily.source,
            {{ user_id }} as user_id,
            daily.channel_id,
            cast(null as bigint) as contact_id,
            cast(null as bigint) as merged_contact_id,
            cast(null as string) as contact_name,
            daily.contacts
        from {{ daily }} as daily
        where
            not {{ contacts_or_names }}
            and {{ is_read }}
            and daily.event_type in ('{{ event_types | join("', '") }}')
        union all
        {%- endfor %}
        {%- for event_type in event_types %}
        select
            facts.workspace_id,
            facts.report_date,
            '{{ event_type }}' as event_type,
            facts.source,
            facts.user_id,
            {{ 'facts.channel_id' if event_type == 'connected' else 'cast(null as string)' }} as channel_id,
            facts.{{ contacts_of(event_type) | first }} as contact_id,
            {{ 'facts.merged_contact_id' if event_type == 'merged' else 'cast(null as bigint)' }} as merged_contact_id,
            facts.contact_name,
            1 as contacts
        from {{ ref('fct_contacts_' ~ event_type) }} as facts
        where {{ contacts_or_names }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as events
    where
        {{ passes_filters('events', ['contact_id', 'merged_contact_id'], channels, first_date, any_date) }}
        and {{ 'not ' ~ is_name_given() if any_date else passes_contact_name('events') }}
{%- endmacro %}

{#- The first day of the calendar period of a date; for `total` the first day of the range. -#}
{% macro period_start(date) -%}
    cast(
        case frequency
            when 'day' then {{ date }}
            when 'week' then date_trunc('week', {{ date }})
            when 'month' then date_trunc('month', {{ date }})
            when 'total' then {{ argument('start_date', 'date') }}
        end as date
    )
{%- endmacro %}

{#-
    One row, or an error that names the parameter, its value and the allowed values. Every report joins it. It is an
    aggregate, as that always has a row: DuckDB leaves out other parts of a query that the filters of a reader rule out. The
    allowed values are constants. Looking them up would cost each report 0.3 to 1.5 ms, and a change of the workspaces or
    sources causes a full refresh.
-#}
{% macro checked_arguments(with_frequency=false, with_compared_with=false, with_sources=true) -%}
    {%- do ref('dim_workspace') %}{% do ref('dim_source') -%}
    {%- set start_date, end_date = argument('start_date', 'date'), argument('end_date', 'date') -%}
    select count(*) as refusals
    from (select 1)
    where
        case
            when {{ start_date }} is null or {{ end_date }} is null
                then error('start_date and end_date are required: the first and the last day of the report')
            when {{ start_date }} > {{ end_date }}
                then
                    error(
                        'start_date ' || {{ start_date }} || ' is after end_date ' || {{ end_date }}
                        || '. It must be the same day or earlier'
                    )
            {%- if with_frequency %}
            {{ refused_unless_known('frequency', frequencies()) }}
            {%- endif %}
            {%- if with_compared_with %}
            {{ refused_unless_known('compared_with', ranges_compared_with()) }}
            {%- endif %}
            {{ refused_unless_known('workspace_id', values_in('marts', 'dim_workspace', 'workspace_id'), is_filter=true) }}
            {%- if with_sources %}
            {{ refused_unless_known('sources', values_in('marts', 'dim_source', 'source'), is_filter=true, is_list=true) }}
            {%- endif %}
            else false
        end
{%- endmacro %}

{#- In a CASE: an error where a parameter has a value that is not allowed. NULL is allowed for a filter. -#}
{% macro refused_unless_known(name, known, is_filter=false, is_list=false) -%}
    {%- set value = argument(name, 'string[]' if is_list else 'string') -%}
    when
        {{ is_given(name) ~ ' and' if is_filter else name ~ ' is null or' }}
        not {{ contains_all(list_of(known), value if is_list else '[' ~ value ~ ']') }}
        then
            error(
                '{{ name }} ' || coalesce('''' || {{ argument(name, 'string') }} || '''', 'NULL') || ' is not known, '
                || {{ text_literal(('each' if is_list else 'it') ~ ' is one of: ' ~ known | join(', ')) }}
            )
{%- endmacro %}

{#- The day that a day of the range is compared with: earlier by the length of the range, or by a week, month or year. -#}
{% macro day_before(date) -%}
    {%- set start_date, end_date = argument('start_date', 'date'), argument('end_date', 'date') -%}
    case compared_with
        when 'preceding' then {{ date }} - cast({{ end_date }} - {{ start_date }} as integer) - 1
        when 'week' then {{ date }} - 7
        when 'month' then {{ months_before(date, 1) }}
        when 'year' then {{ months_before(date, 12) }}
    end
{%- endmacro %}
