{#-
    A key: rows that share it, and rows where a part of it is NULL. A part is a column or an expression. One that is
    listed in `nullable` may be NULL, which then counts as a value.

    To group 10 million rows by a key costs 2.6 CPU-seconds. After an incremental run it is enough to look at the keys
    of the rows that the run can have written:
    - `appended_by_batch`: rows are only ever appended, so those of the new batches;
    - `changed_contacts`: those of the contacts in this relation. `contact_id` is the contact's column in the model.
-#}
{% test unique_together(
    model, columns, nullable=[], appended_by_batch=false, changed_contacts=none, contact_id='contact_id'
) %}
    {%- set required = columns | reject('in', nullable) | list %}

select
    {%- for column in columns %}
    {{ column }} as key_{{ loop.index }},
    {%- endfor %}
    count(*) as row_count
from {{ model }}
where
    {% if appended_by_batch -%}
    batch_id > {{ last_built_batch() }}
    {%- elif changed_contacts is not none and last_built_batch() | int > 0 -%}
    {{ hash_of(columns) }} in (
        select {{ hash_of(columns) }} from {{ model }}
        where (workspace_id, {{ contact_id }}) in (select workspace_id, contact_id from {{ changed_contacts }})
    )
    {%- else -%}
    true
    {%- endif %}
group by {% for column in columns %}{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
having
    count(*) > 1
    {%- for column in required %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}
