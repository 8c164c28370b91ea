{#- Rows where any of these columns is NULL: one look at the table for all of them. -#}
{% test not_null_columns(model, columns) %}

select
    {{ columns | join(',\n    ') }}
from {{ model }}
where
    {% for column in columns -%}
    {{ 'or ' if not loop.first }}{{ column }} is null
    {% endfor %}

{% endtest %}
