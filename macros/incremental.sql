{#-
    The work of a run. A run starts from a copy of the publication and replaces it when all tests passed. "The last build" is
    therefore one state of all tables. Python writes its newest batch into the copy before dbt opens it.
-#}

{#- The newest batch of the last build. 0 on a full refresh. -#}
{% macro last_built_batch() -%}
    {%- if not execute or flags.FULL_REFRESH -%}
        0
    {%- else -%}
        {%- set state = adapter.get_relation(
            database=target.database, schema=generate_schema_name('intermediate'), identifier='int_changes_since'
        ) -%}
        {%- if state is none -%}
            0
        {%- else -%}
            {{- run_query('select batch_id from ' ~ state).columns[0].values()[0] -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#-
    The records that were rejected before a full refresh, from the publication. None on an incremental run, and where the former publication has another raw zone or cannot be read.
-#}
{% macro rejects_before_changes() -%}
    {%- if execute -%}
        {{ return(adapter.get_relation(
            database=target.database, schema=generate_schema_name('intermediate'), identifier='int_rejects_before_changes'
        )) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a row of `int_rejected_records` is new: the record was not rejected for the same reason before this run. -#}
{% macro is_new_reject(rejected) -%}
    {#- Outside of the conditions, as dbt looks for dependencies without running the model. -#}
    {%- set last_built, known_rejects, files = last_built_batch() | int, rejects_before_changes(), ref('stg_files') -%}
    {%- if last_built > 0 -%}
        {{ rejected }}.batch_id > {{ last_built }}
    {%- elif known_rejects -%}
        not exists (
            select 1 from {{ known_rejects }} as known
            where
                known.file_id = {{ rejected }}.file_id
                and known.source_line = {{ rejected }}.source_line
                and known.reject_reason = cast({{ rejected }}.reject_reason as string)
        )
    {%- else -%}
        {{ rejected }}.batch_id = (select max(newest.batch_id) from {{ files }} as newest)
    {%- endif -%}
{%- endmacro %}

{#-
    In a pre-hook of an incremental model: deletes the rows of its table that a condition selects. Does nothing on a
    full refresh.
-#}
{% macro delete_rows(condition) -%}
    {% if is_incremental() %} delete from {{ this }} where {{ condition }} {% endif %}
{%- endmacro %}

{#-
    Deletes the rows whose keys are in a relation. With `and_newer_batches` also the rows of batches after the last build,
    which only a dbt command outside of a run can have appended.
-#}
{% macro delete_rows_of(relation, keys, and_newer_batches=false) -%}
    {%- set columns = keys | join(', ') -%}
    {{ delete_rows(
        ('batch_id > ' ~ last_built_batch() ~ ' or ' if and_newer_batches else '')
        ~ '(' ~ columns ~ ') in (select ' ~ columns ~ ' from ' ~ relation ~ ')'
    ) }}
{%- endmacro %}

{#- Deletes the rows of batches after the last build, which only a dbt command outside of a run can have appended. -#}
{% macro delete_newer_rows() -%}
    {{ delete_rows('batch_id > ' ~ last_built_batch()) }}
{%- endmacro %}

{#-
    The standing events to append to a fact. On a full refresh all of them; on an incremental run those of new batches, and
    older ones that stand again or have another user or channel.
-#}
{% macro records_to_load(event_type) -%}
    {#- Outside of the condition, as dbt looks for dependencies without running the model. -#}
    {%- set all_events, changed_events = ref('int_standing_events'), ref('int_changed_standing_events') -%}
    (
        select * from {{ changed_events if is_incremental() else all_events }}
        where event_type = '{{ event_type }}'
    )
{%- endmacro %}

{#-
    The rows of a fact that a test has to check. On a full refresh all of them; on an incremental run those that the run
    appended. These are read from their source, as finding them in the fact costs more (10 million: 0.1 CPU-seconds a test).
-#}
{% macro rows_written(event_type) -%}
    {#- Outside of the condition, as dbt looks for dependencies without running the test. -#}
    {%- set fact, written = ref('fct_contacts_' ~ event_type), ref('int_changed_standing_events') -%}
    {%- if last_built_batch() | int > 0 -%}
        (select * from {{ written }} where event_type = '{{ event_type }}')
    {%- else -%}
        {{ fact }}
    {%- endif -%}
{%- endmacro %}

{#- Deletes the daily counts that are different now, or are of no event any more. -#}
{% macro delete_changed_daily_counts(changed_days, new_counts) -%}
    {%- set is_the_same_day -%}
        (workspace_id, report_date, event_type) in (select workspace_id, report_date, event_type from {{ changed_days }})
    {%- endset -%}
    {%- set is_new_counts_as_it_is -%}
        exists (
            select 1 from {{ new_counts }} as counted
            where
                {% for column in [
                    'workspace_id', 'report_date', 'event_type', 'source', 'channel_id', 'user_id',
                    'contacts', 'first_event_at', 'last_event_at',
                ] -%}
                {{ 'and ' if not loop.first }}counted.{{ column }} is not distinct from {{ this.identifier }}.{{ column }}
                {% endfor %}
        )
    {%- endset -%}
    {{ delete_rows(is_the_same_day ~ ' and not ' ~ is_new_counts_as_it_is) }}
{%- endmacro %}
