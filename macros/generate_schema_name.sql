{#-
    A model's schema is the one its folder is given, not prefixed with the target's. Where every build has schemas of its
    own, their names begin with the version.
-#}
{% macro generate_schema_name(custom_schema_name, node=none) -%}
    {{ env_var('CONTACT_REPORTS_SCHEMA_PREFIX', '') }}{{ custom_schema_name or target.schema }}
{%- endmacro %}
