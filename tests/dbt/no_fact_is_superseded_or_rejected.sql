-- No superseded, rejected or ignored record counts (contract 4). After an incremental run it is enough to look at the
-- records that are so since.
{{ config(meta={'dagster': {'ref': {'name': 'fct_contact_events'}}}) }}

with not_counted as (
    select
        file_id,
        source_line
    from {{ ref('int_superseded_changes') }}
    where is_superseded and {{ last_built_batch() }} > 0
    union all
    select
        file_id,
        source_line
    from {{ ref('int_superseded_events') }}
    where {{ last_built_batch() }} = 0
    union all
    select
        file_id,
        source_line
    from {{ ref('stg_events') }}
    where batch_id > {{ last_built_batch() }} and (reject_reason is not null or is_ignored)
)

select
    event_type,
    workspace_id,
    event_id,
    file_id,
    source_line
from {{ ref('fct_contact_events') }}
where (file_id, source_line) in (select file_id, source_line from not_counted)
