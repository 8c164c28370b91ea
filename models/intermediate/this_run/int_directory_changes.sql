-- What a text stood for when the last build was made against what it stands for now. Nothing, when everything is built
-- anew.
{% set last_built = last_built_batch() | int %}

with references_before as (
    {{ directory_references(up_to=last_built) }}
),

compared as (
    select
        coalesce(now.directory, before.directory) as directory,
        coalesce(now.workspace_id, before.workspace_id) as workspace_id,
        coalesce(now.reference, before.reference) as reference,
        now.id as id_now,
        before.id as id_before,
        now.shown_name as shown_name_now,
        before.shown_name as shown_name_before
    from {{ ref('int_directory_references') }} as now
    full outer join references_before as before
        on
            now.directory = before.directory
            and now.workspace_id = before.workspace_id
            and now.reference = before.reference
)

-- What stands for nothing is shown as it is.
select
    directory,
    workspace_id,
    reference,
    coalesce(id_before, reference) as id_before,
    coalesce(id_now, reference) as id_now
from compared
where
    {{ last_built }} > 0
    and (
        coalesce(id_now, reference) <> coalesce(id_before, reference)
        or coalesce(shown_name_now, reference) <> coalesce(shown_name_before, reference)
    )
