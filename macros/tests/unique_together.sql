{#-
    A key: rows that share it; and rows where a part of it or a `required` column is NULL, or a column of `accepted` has
    none of the values listed there. A part is a column or an expression. One that is listed in `nullable` may be NULL,
    which then counts as a value.

    Keys are first grouped by their hashes, and only those seen again by themselves (4.3 million contacts by channel: 0.7
    against 1.0 CPU-seconds). After an incremental run it is enough to look at the keys that the run can have written:
    - `appended_by_batch`: rows are only ever appended, so those of the new batches;
    - `changed_contacts`: those of the contacts in this relation. `contact_id` is the contact's column in the model, which
      is a part of the key, or known by it.
    Where everything is built anew, `grouped_by_key` says that the model is one GROUP BY of its key: only what is
    appended later can bring a key a second time.
-#}
{% test unique_together(
    model,
    columns,
    nullable=[],
    required=[],
    accepted={},
    appended_by_batch=false,
    changed_contacts=none,
    contact_id='contact_id',
    grouped_by_key=false
) %}
    {%- set is_built_anew = last_built_batch() | int == 0 -%}
    {%- set rows_to_look_at -%}
        {%- if is_built_anew -%}
            {{ 'false' if grouped_by_key else 'true' }}
        {%- elif appended_by_batch -%}
            batch_id > {{ last_built_batch() }}
        {%- elif changed_contacts is not none -%}
            (workspace_id, {{ contact_id }}) in (select workspace_id, contact_id from {{ changed_contacts }})
        {%- else -%}
            true
        {%- endif -%}
    {%- endset %}

with keys_seen_again as (
    select {{ hash_of(columns) }} as key_hash
    from {{ model }}
    where {{ rows_to_look_at }}
    group by 1
    having count(*) > 1
)

select
    {%- for column in columns %}
    {{ column }} as key_{{ loop.index }},
    {%- endfor %}
    count(*) as row_count
from {{ model }}
where {{ hash_of(columns) }} in (select key_hash from keys_seen_again)
group by {% for column in columns %}{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
having count(*) > 1
union all
select
    {%- for column in columns %}
    {{ column }},
    {%- endfor %}
    1 as row_count
from {{ model }}
where
    {% for column in (columns | reject('in', nullable) | list) + required -%}
    {{ 'or ' if not loop.first }}{{ column }} is null
    {% endfor %}
{%- for column, values in accepted.items() %}
-- By itself: of columns without a NULL the look before reads nothing, as DuckDB knows that.
union all
select
    {%- for key in columns %}
    {{ key }},
    {%- endfor %}
    1 as row_count
from {{ model }}
where {{ column }} not in ('{{ values | join("', '") }}')
{%- endfor %}

{% endtest %}
