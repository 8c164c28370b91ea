-- Nothing, when everything is built anew: then nobody asks.
with changed as (
    select
        workspace_id,
        contact_id,
        merged_contact_id
    from {{ ref('int_accepted_events') }}
    where batch_id > {{ last_built_batch() }} and {{ last_built_batch() }} > 0
    union all
    select
        workspace_id,
        contact_id,
        merged_contact_id
    from {{ ref('int_changed_records') }}
)

select
    workspace_id,
    contact_id
from changed
union
select
    workspace_id,
    merged_contact_id as contact_id
from changed
where merged_contact_id is not null
