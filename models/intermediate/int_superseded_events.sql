{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{% if is_incremental() %}
            delete from {{ this }}
            where
                batch_id > {{ last_built_batch() }}
                or (file_id, source_line) in (select file_id, source_line from {{ ref('int_superseded_changes') }})
        {% endif %}",
    )
}}

select
    {{ event_columns() | join(',\n    ') }},
    superseded_as,
    standing_event_id
from {{ ref('int_superseded_changes') }}
where is_superseded
