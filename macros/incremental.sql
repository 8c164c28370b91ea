{#-
    What a run has to look at. A run starts from a copy of the publication and replaces it when every test passed, so
    "the last build" is one state of all tables together; Python writes it into the copy before dbt opens that.
-#}

{#- The newest batch that the tables at hand were built from; 0 when they are built anew. -#}
{% macro last_built_batch() -%}
    {%- if not execute or flags.FULL_REFRESH -%}
        0
    {%- else -%}
        {%- set state = adapter.get_relation(database=target.database, schema='intermediate', identifier='int_changes_since') -%}
        {%- if state is none -%}
            0
        {%- else -%}
            {{- run_query('select batch_id from ' ~ state).columns[0].values()[0] -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#-
    The records that were rejected before all was built anew, as Python copied them from the publication; none where it
    could not, as their files would be others, and where the run builds on.
-#}
{% macro rejects_before_changes() -%}
    {%- if execute -%}
        {{ return(adapter.get_relation(
            database=target.database, schema='intermediate', identifier='int_rejects_before_changes'
        )) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether the record of a row of `int_rejected_records` was not rejected before this run, for the same reason. -#}
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
                and known.reject_reason = cast({{ rejected }}.reject_reason as varchar)
        )
    {%- else -%}
        {{ rejected }}.batch_id = (select max(newest.batch_id) from {{ files }} as newest)
    {%- endif -%}
{%- endmacro %}

{#- In a pre-hook of an incremental model: deletes the rows of its table that a condition selects. Empty on a full refresh. -#}
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
    The standing events to append to a fact: all of them when it is built anew; otherwise those of new batches, and
    the older ones that stand again or are shown differently.
-#}
{% macro records_to_load(event_type) -%}
    {#- Outside of the condition, as dbt looks for dependencies without running the model. -#}
    {%- set all_of_them, some_of_them = ref('int_standing_events'), ref('int_changed_standing_events') -%}
    (
        select * from {{ some_of_them if is_incremental() else all_of_them }}
        where event_type = '{{ event_type }}'
    )
{%- endmacro %}

{#-
    For a test of each row of a fact: all of them when all is built anew; otherwise those that the run at hand has written
    to it, where they come from: among the fact's own they would have to be looked for (10 million: 0.1 CPU-seconds a test).
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
{% macro delete_changed_daily_counts(changed_days, counted_again) -%}
    {%- set is_the_same_day -%}
        (workspace_id, report_date, event_type) in (select workspace_id, report_date, event_type from {{ changed_days }})
    {%- endset -%}
    {%- set is_counted_again_as_it_is -%}
        exists (
            select 1 from {{ counted_again }} as counted
            where
                {% for column in [
                    'workspace_id', 'report_date', 'event_type', 'source', 'channel_id', 'user_id',
                    'contacts', 'first_event_at', 'last_event_at',
                ] -%}
                {{ 'and ' if not loop.first }}counted.{{ column }} is not distinct from {{ this.identifier }}.{{ column }}
                {% endfor %}
        )
    {%- endset -%}
    {{ delete_rows(is_the_same_day ~ ' and not ' ~ is_counted_again_as_it_is) }}
{%- endmacro %}
