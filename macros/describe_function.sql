{#- A table function's description in the database, as `persist_docs` writes it for tables and views only. -#}
{% macro describe_function() -%}
    comment on macro table {{ this }} is '{{ model.description | trim | replace("'", "''") }}'
{%- endmacro %}
