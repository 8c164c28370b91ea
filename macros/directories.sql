{#- How users and channels are shown (contract 5). -#}

{#- A deleted user is shown by id, as on the page. -#}
{% macro shown_user_name() -%}
    case when is_deleted then user_id else coalesce(user_name, user_id) end
{%- endmacro %}

{#- A deleted channel keeps its name. -#}
{% macro shown_channel_name() -%}
    coalesce(channel_name, channel_id)
{%- endmacro %}
