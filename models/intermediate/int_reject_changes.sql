{% set last_built, known_rejects = last_built_batch() | int, rejects_before_changes() %}

select
    files.workspace_id,
    cast(rejected.reject_reason as varchar) as reject_reason,
    count(*) as record_count
from {{ ref('int_rejected_records') }} as rejected
inner join {{ ref('stg_files') }} as files on rejected.file_id = files.file_id
where
    rejected.batch_id > {{ last_built }}
    {% if known_rejects %}
    and not exists (
        select 1 from {{ known_rejects }} as known
        where
            known.file_id = rejected.file_id
            and known.source_line = rejected.source_line
            and known.reject_reason = cast(rejected.reject_reason as varchar)
    )
    {% elif last_built == 0 %}
    and rejected.batch_id = (select max(newest.batch_id) from {{ ref('stg_files') }} as newest)
    {% endif %}
group by files.workspace_id, cast(rejected.reject_reason as varchar)
