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

{#-
    The rows that pass the arguments (contract 6); NULL is no filter. DuckDB makes constants of the arguments before it
    plans the query, so that what is no filter costs nothing and the dates skip what lies outside of them.
-#}
{% macro passes_filters(events, contacts=['contact_id'], channels=false, first_date='start_date', any_date=false) -%}
    {%- set lists = {'user_ids': ['user_id'], 'sources': ['source'], 'contact_ids': contacts} -%}
    {%- if channels %}{% do lists.update({'channel_ids': ['channel_id']}) %}{% endif -%}
    {%- if not any_date %}
    {{ events }}.report_date between {{ argument(first_date, 'date') }} and {{ argument('end_date', 'date') }} and
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

{#- The names that contain the argument, whatever the case and the accents of either. -#}
{% macro passes_contact_name(events) -%}
    (
        not {{ is_given('contact_name') }}
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
    False, or an error that says what is wrong with the arguments. It is the condition of a part of the query that has
    no table, so that it is looked at even where DuckDB sees that no row can be in the dates.
-#}
{% macro arguments_are_refused(with_frequency=false) -%}
    case
        when start_date is null or end_date is null
            then error('start_date and end_date are needed, the first and the last day of the report')
        {%- if with_frequency %}
        when (frequency in ('{{ frequencies() | join("', '") }}')) is not true
            then error(
                'frequency ''' || coalesce(cast(frequency as varchar), 'NULL')
                || ''' is not known, it is one of: {{ frequencies() | join(", ") }}'
            )
        {%- endif %}
        else false
    end
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
