-- No superseded, rejected or ignored record counts (contract 4).
{{ config(meta={'dagster': {'ref': {'name': 'fct_contact_events'}}}) }}

with not_counted as (
    select
        file_id,
        source_line
    from {{ ref('int_superseded_events') }}
    union all
    select
        file_id,
        source_line
    from {{ ref('stg_events') }}
    where reject_reason is not null or is_ignored
)

select
    event_type,
    workspace_id,
    event_id,
    file_id,
    source_line
from {{ ref('fct_contact_events') }}
where (file_id, source_line) in (select file_id, source_line from not_counted)
