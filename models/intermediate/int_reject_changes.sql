select
    files.workspace_id,
    cast(rejected.reject_reason as string) as reject_reason,
    count(*) as record_count
from {{ ref('int_rejected_records') }} as rejected
inner join {{ ref('stg_files') }} as files on rejected.file_id = files.file_id
where {{ is_new_reject('rejected') }}
group by files.workspace_id, cast(rejected.reject_reason as string)
