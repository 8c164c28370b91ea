-- A fact has a user only where the source is `user`, and has a name for each user (contract 2 and 5).
{{ config(meta={'dagster': {'ref': {'name': 'fct_contacts_added'}}}) }}

{% for event_type in event_types() -%}
select
    '{{ event_type }}' as event_type,
    file_id,
    source_line,
    source,
    user_id,
    user_name
from {{ rows_written(event_type) }}
where (source <> 'user' and user_id is not null) or (user_id is null) <> (user_name is null)
{% if not loop.last %}union all{% endif %}
{% endfor %}
