{#-
    What the parameterised reports share. In a table function the name of a parameter hides a column of the same name:
    every column here is qualified.
-#}

{#- The value of a parameter. -#}
{% macro argument(name, type) -%}
    cast({{ name }} as {{ type }})
{%- endmacro %}

{#- Whether a parameter is a filter. -#}
{% macro is_given(name) -%}
    ({{ name }} is not null)
{%- endmacro %}

{#- The frequencies that a report can be asked for. -#}
{% macro frequencies() -%}
    {{ return(['day', 'week', 'month', 'total']) }}
{%- endmacro %}

{#- The ranges that a report can be compared with. -#}
{% macro ranges_compared_with() -%}
    {{ return(['preceding', 'week', 'month', 'year']) }}
{%- endmacro %}

{#-
    The rows that pass the arguments (contract 6); NULL is no filter. DuckDB makes constants of the arguments before it
    plans the query, so that what is no filter costs nothing and the dates skip what lies outside of them.
-#}
{% macro passes_filters(events, contacts=['contact_id'], channels=false, first_date='start_date', any_date=false) -%}
    {%- set lists = {'user_ids': ['user_id'], 'sources': ['source'], 'contact_ids': contacts} -%}
    {%- if channels %}{% do lists.update({'channel_ids': ['channel_id']}) %}{% endif -%}
    {%- if not any_date %}
    {%- set first_date, end_date = argument(first_date, 'date'), argument('end_date', 'date') %}
    -- A range whatever the arguments are: of an empty one DuckDB would leave out all of the report, its errors included.
    {{ events }}.report_date
    between coalesce(least({{ first_date }}, {{ end_date }}), date '0001-01-01')
    and coalesce(greatest({{ first_date }}, {{ end_date }}), date '9999-12-31') and
    {%- endif %}
    (not {{ is_given('workspace_id') }} or {{ events }}.workspace_id = {{ argument('workspace_id', 'varchar') }})
    {%- for name, columns in lists.items() %}
    and (
        not {{ is_given(name) }}
        {%- for column in columns %}
        or list_contains({{ argument(name, 'bigint[]' if name == 'contact_ids' else 'varchar[]') }}, {{ events }}.{{ column }})
        {%- endfor %}
    )
    {%- endfor %}
{%- endmacro %}

{#- The names that contain the argument, both in plain letters. An empty text is no filter. -#}
{% macro passes_contact_name(events) -%}
    (
        coalesce({{ argument('contact_name', 'varchar') }}, '') = ''
        or contains(
            {{ plain_letters(events ~ '.contact_name') }}, {{ plain_letters(argument('contact_name', 'varchar')) }}
        )
    )
{%- endmacro %}

{#- The columns of a fact that hold contacts. -#}
{% macro contacts_of(event_type) -%}
    {{ return(['primary_contact_id', 'merged_contact_id'] if event_type == 'merged' else ['contact_id']) }}
{%- endmacro %}

{#-
    One row per group of events that pass the arguments, and their number. The smallest table is asked that knows what the
    filters ask for: the breakdown has neither users nor contacts, nor the source of what was connected; the daily counts
    have no contacts. The parts that an argument rules out are planned away. The filters stand above them, once: with each
    part DuckDB binds them anew (`component_states`, twelve parts: 6.2 against 5.4 ms).
-#}
{% macro filtered_counts(event_types, channels=false, first_date='start_date', any_date=false) -%}
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
        {%- for daily, user_id, is_asked in [
            (ref('agg_breakdown_daily'), 'cast(null as varchar)', 'not ' ~ users_or_sources),
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
            daily.contacts
        from {{ daily }} as daily
        where
            not {{ is_given('contact_ids') }}
            and {{ is_asked }}
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
            {{ 'facts.channel_id' if event_type == 'connected' else 'cast(null as varchar)' }} as channel_id,
            facts.{{ contacts_of(event_type) | first }} as contact_id,
            {{ 'facts.merged_contact_id' if event_type == 'merged' else 'cast(null as bigint)' }} as merged_contact_id,
            1 as contacts
        from {{ ref('fct_contacts_' ~ event_type) }} as facts
        where {{ is_given('contact_ids') }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as events
    where {{ passes_filters('events', ['contact_id', 'merged_contact_id'], channels, first_date, any_date) }}
{%- endmacro %}

{#- The first day of the calendar period that a date lies in; the range's own for `total`. -#}
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
    One row, or an error that names the parameter, the value and what is allowed. Every report joins it: DuckDB leaves out
    parts of a query that a reader's filter rules out, but it does not look past an aggregate, which has its row whatever it
    counts. The allowed values are part of the text. Looking them up would cost each report 0.3 to 1.5 ms, and a change of
    the workspaces or of the sources is a rebuild.
-#}
{% macro checked_arguments(with_frequency=false, with_compared_with=false) -%}
    {%- do ref('dim_workspace') %}{% do ref('dim_source') -%}
    {%- set start_date, end_date = argument('start_date', 'date'), argument('end_date', 'date') -%}
    select count(*) as refusals
    from (select 1)
    where
        case
            when {{ start_date }} is null or {{ end_date }} is null
                then error('start_date and end_date are needed, the first and the last day of the report')
            when {{ start_date }} > {{ end_date }}
                then
                    error(
                        'start_date ' || {{ start_date }} || ' is after end_date ' || {{ end_date }}
                        || ', it is the same day or one before'
                    )
            {%- if with_frequency %}
            {{ refused_unless_known('frequency', frequencies()) }}
            {%- endif %}
            {%- if with_compared_with %}
            {{ refused_unless_known('compared_with', ranges_compared_with()) }}
            {%- endif %}
            {{ refused_unless_known('workspace_id', values_in('marts', 'dim_workspace', 'workspace_id'), is_filter=true) }}
            {{ refused_unless_known('sources', values_in('marts', 'dim_source', 'source'), is_filter=true, is_list=true) }}
            else false
        end
{%- endmacro %}

{#- In a CASE: an error where a parameter has a value that is not known. For a filter NULL is none. -#}
{% macro refused_unless_known(name, known, is_filter=false, is_list=false) -%}
    {%- set value = argument(name, 'varchar[]' if is_list else 'varchar') -%}
    when
        {{ is_given(name) ~ ' and' if is_filter else name ~ ' is null or' }}
        not {{ contains_all(list_of(known), value if is_list else '[' ~ value ~ ']') }}
        then
            error(
                '{{ name }} ' || coalesce('''' || {{ argument(name, 'varchar') }} || '''', 'NULL') || ' is not known, '
                || {{ text_literal(('each' if is_list else 'it') ~ ' is one of: ' ~ known | join(', ')) }}
            )
{%- endmacro %}

{#-
    What part of a total a count is, 0 to 100, not rounded. Totals are joined, as a window over the counts costs
    DuckDB more (1,924 channels and days: 1.3 ms of its operator, against 0.3 ms to group and join).
-#}
{% macro percentage(contacts, total) -%}
    100 * cast({{ contacts }} as double) / {{ total }}
{%- endmacro %}

{#- The first day of the range of the same length that ends the day before a range starts. -#}
{% macro same_length_before(start_date, end_date) -%}
    ({{ start_date }} - cast({{ end_date }} - {{ start_date }} as integer) - 1)
{%- endmacro %}

{#- The day that the first or the last one is compared with: as many days earlier as the range has, or a week, month or year. -#}
{% macro day_before(date) -%}
    {%- set start_date, end_date = argument('start_date', 'date'), argument('end_date', 'date') -%}
    case compared_with
        when 'preceding' then {{ date }} - cast({{ end_date }} - {{ start_date }} as integer) - 1
        when 'week' then {{ date }} - 7
        when 'month' then {{ months_before(date, 1) }}
        when 'year' then {{ months_before(date, 12) }}
    end
{%- endmacro %}

{#- A metric's number against the one before. A percentage of nothing is not known. -#}
{% macro compared(event_types, counted) -%}
    'contacts_' || {{ event_types }}.event_type as metric,
    cast(coalesce({{ counted }}.contacts, 0) as bigint) as contacts,
    cast(coalesce({{ counted }}.contacts_before, 0) as bigint) as contacts_before,
    cast(coalesce({{ counted }}.contacts, 0) - coalesce({{ counted }}.contacts_before, 0) as bigint) as difference,
    100 * cast(coalesce({{ counted }}.contacts, 0) - {{ counted }}.contacts_before as double)
    / nullif({{ counted }}.contacts_before, 0) as percent
{%- endmacro %}

{#- Hours from one instant to another, negative where that one is earlier. -#}
{% macro hours_between(earlier, later) -%}
    cast({{ microseconds(later) }} - {{ microseconds(earlier) }} as double) / 3600000000
{%- endmacro %}
