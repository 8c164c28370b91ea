{#- What a Data Export file holds: its columns say it, or else its name. NULL when neither does. -#}
{% macro exported() -%}
    case
        when contains(header, '"messageid"') then 'messages'
        when contains(header, '"datetimecreated"') then 'contacts'
        when {{ base_name('source_file') }} like 'messages%' then 'messages'
        when {{ base_name('source_file') }} like 'contacts%' then 'contacts'
    end
{%- endmacro %}
