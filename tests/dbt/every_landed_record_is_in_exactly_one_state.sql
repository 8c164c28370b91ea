-- Every landed record is standing, superseded, rejected or ignored, and only one of these (contract 4). Lines are
-- compared by a sum of their hashes for each file, which costs a quarter of comparing the lines. After an incremental
-- run only new files are tested; records_add_up tests that no record of an older file is lost or doubled.
{{ config(meta={'dagster': {'ref': {'name': 'stg_files'}}}) }}
{% set files = ref('stg_files') %}

with states as (
    select
        file_id,
        source_line
    from {{ ref('fct_contact_events') }}
    where batch_id > {{ last_built_batch() }}
    union all
    select
        file_id,
        source_line
    from {{ ref('int_superseded_events') }}
    where batch_id > {{ last_built_batch() }}
    union all
    select
        file_id,
        source_line
    from {{ ref('int_rejected_records') }}
    where batch_id > {{ last_built_batch() }}
    union all
    select
        file_id,
        source_line
    from {{ ref('int_new_records') }}
    where is_ignored
),

in_a_state as (
    select
        file_id,
        count(*) as record_count,
        {{ sum_of_hashes(hash_of(['source_line'])) }} as fingerprint
    from states
    group by file_id
),

validated as (
    select
        file_id,
        count(*) as record_count,
        {{ sum_of_hashes(hash_of(['source_line'])) }} as fingerprint
    from {{ ref('int_new_records') }}
    group by file_id
)

select
    files.file_id,
    files.source_file,
    files.records_landed,
    coalesce(validated.record_count, 0) as records_validated,
    coalesce(in_a_state.record_count, 0) as records_in_a_state
from {{ files }} as files
left join validated on files.file_id = validated.file_id
left join in_a_state on files.file_id = in_a_state.file_id
where
    files.brings_events
    and files.batch_id > {{ last_built_batch() }}
    and (
        files.records_landed <> coalesce(validated.record_count, 0)
        or validated.fingerprint is distinct from in_a_state.fingerprint
    )
