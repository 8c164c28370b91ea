-- No older record that came to be superseded since the last build still counts (contract 4). Of new records, and of all
-- when everything is built anew, every_landed_record_is_in_exactly_one_state shows it. Without the event's id, which
-- would be read of every fact (9.3 million: 0.1 against 0.4 CPU-seconds).
{{ config(meta={'dagster': {'ref': {'name': 'fct_contact_events'}}}) }}

select
    event_type,
    file_id,
    source_line
from {{ ref('fct_contact_events') }}
where
    (file_id, source_line) in (
        select file_id, source_line from {{ ref('int_superseded_changes') }}
        where is_superseded and batch_id <= {{ last_built_batch() }}
    )
