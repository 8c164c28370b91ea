-- Empty on a full refresh.
with standing as (
    {{ standing_events(ref('int_changeable_events')) }}
)

select * from standing
where
    batch_id > {{ last_built_batch() }}
    or (file_id, source_line) in (select file_id, source_line from {{ ref('int_changed_records') }})
