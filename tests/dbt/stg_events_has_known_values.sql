-- A judged record has every value that all of them have, an event key exactly where it is accepted, and one of contract
-- 4's reasons where it is rejected. The last two are looked at where they are new, as rows are only ever appended.
{{ config(meta={'dagster': {'ref': {'name': 'stg_events'}}}) }}

select
    batch_id,
    file_id,
    source_line,
    null as reject_reason
from {{ ref('stg_events') }}
where
    batch_id is null
    or file_id is null
    or source_line is null
    or workspace_id is null
    or route is null
    or source is null
union all
select
    batch_id,
    file_id,
    source_line,
    reject_reason
from {{ ref('stg_events') }}
where
    batch_id > {{ last_built_batch() }}
    and (
        (event_key is null) <> (reject_reason is not null or is_ignored)
        or reject_reason not in (
            'malformed_record',
            'missing_field',
            'unknown_workspace',
            'unknown_event_type',
            'invalid_contact_id',
            'invalid_occurred_at',
            'source_not_allowed',
            'merged_into_itself'
        )
    )
