-- Compares what each reference stood for at the last build with what it stands for now. Empty on a full refresh.
{% set last_built = last_built_batch() | int %}

with references_before as (
    {{ directory_references(up_to=last_built) }}
),

compared as (
    select
        coalesce(now.directory, before.directory) as directory,
        coalesce(now.workspace_id, before.workspace_id) as workspace_id,
        coalesce(now.reference, before.reference) as reference,
        -- A reference that stands for no id is shown as it is.
        coalesce(now.id, now.reference, before.reference)
        <> coalesce(before.id, before.reference, now.reference) as is_another_id,
        coalesce(now.shown_name, now.reference, before.reference)
        <> coalesce(before.shown_name, before.reference, now.reference) as has_another_name
    from {{ ref('int_directory_references') }} as now
    full outer join references_before as before
        on
            now.directory = before.directory
            and now.workspace_id = before.workspace_id
            and now.reference = before.reference
            and now.valid_from = before.valid_from
            and now.valid_to = before.valid_to
)

select
    directory,
    workspace_id,
    reference,
    bool_or(is_another_id) as is_another_id
from compared
where {{ last_built }} > 0 and (is_another_id or has_another_name)
group by directory, workspace_id, reference
