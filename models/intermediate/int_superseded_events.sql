{{
    config(
        materialized='incremental',
        pre_hook="{{ delete_rows_of(ref('int_superseded_changes'), ['file_id', 'source_line'], and_newer_batches=true) }}",
    )
}}

select
    {{ event_columns() | join(',\n    ') }},
    superseded_as,
    standing_event_id
from {{ ref('int_superseded_changes') }}
where is_superseded
