{{
    config(
        materialized='incremental',
        pre_hook="{{ delete_rows('(workspace_id, survivor_contact_id) in (
            select
                changed.workspace_id,
                coalesce(survivors.survivor_contact_id, changed.contact_id)
            from (
                select workspace_id, contact_id from ' ~ ref('int_changed_contacts') ~ '
                union
                select workspace_id, merged_into_contact_id from ' ~ ref('int_contact_histories') ~ '
                where
                    merged_into_contact_id is not null
                    and (workspace_id, contact_id) in (select workspace_id, contact_id from ' ~ ref('int_changed_contacts') ~ ')
            ) as changed
            left join ' ~ this ~ ' as survivors
                on
                    changed.workspace_id = survivors.workspace_id
                    and changed.contact_id = survivors.contact_id
        )') }}",
    )
}}
-- depends_on: {{ ref('int_changed_contacts') }}

-- An incremental run rebuilds the survivors of all contacts that merges connect with a changed contact, now or before
-- the run.
--
-- Every merged contact points to the contact it was merged into. The chains are followed back from their ends, the
-- contacts that were not merged, so that each contact is reached once. A contact that is not reached leads into a
-- cycle. The last merge of a cycle counts: its primary contact is the survivor.
with recursive merged_contacts as (
    select
        histories.workspace_id,
        histories.contact_id,
        histories.merged_into_contact_id,
        histories.merged_at,
        histories.merge_event_id
    from {{ ref('int_contact_histories') }} as histories
    where
        histories.merged_into_contact_id is not null
        {% if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as known
            where known.workspace_id = histories.workspace_id and known.contact_id = histories.contact_id
        )
        {% endif %}
),

survivors as (
    select
        merged_contacts.workspace_id,
        merged_contacts.contact_id,
        merged_contacts.merged_into_contact_id as survivor_contact_id
    from merged_contacts
    where
        not exists (
            select 1 from merged_contacts as onward
            where
                onward.workspace_id = merged_contacts.workspace_id
                and onward.contact_id = merged_contacts.merged_into_contact_id
        )
    union all
    select
        merged_contacts.workspace_id,
        merged_contacts.contact_id,
        survivors.survivor_contact_id
    from survivors
    inner join merged_contacts
        on
            survivors.workspace_id = merged_contacts.workspace_id
            and survivors.contact_id = merged_contacts.merged_into_contact_id
),

into_cycles as (
    select merged_contacts.*
    from merged_contacts
    where
        not exists (
            select 1 from survivors
            where
                survivors.workspace_id = merged_contacts.workspace_id
                and survivors.contact_id = merged_contacts.contact_id
        )
),

-- A member of a cycle ends with itself. Any other contact ends after as many steps as there are contacts to reach.
reachable as (
    select
        workspace_id,
        contact_id,
        merged_into_contact_id as reached_contact_id,
        1 as steps,
        count(*) over (partition by workspace_id) as most_steps
    from into_cycles
    union all
    select
        reachable.workspace_id,
        reachable.contact_id,
        into_cycles.merged_into_contact_id as reached_contact_id,
        reachable.steps + 1 as steps,
        reachable.most_steps
    from reachable
    inner join into_cycles
        on
            reachable.workspace_id = into_cycles.workspace_id
            and reachable.reached_contact_id = into_cycles.contact_id
    where reachable.reached_contact_id <> reachable.contact_id and reachable.steps < reachable.most_steps
),

cycle_members as (
    select
        workspace_id,
        contact_id
    from reachable
    where contact_id = reached_contact_id
),

last_merges as (
    select
        reachable.workspace_id,
        reachable.contact_id,
        max_by(
            into_cycles.merged_into_contact_id, {{ composite(['into_cycles.merged_at', 'into_cycles.merge_event_id']) }}
        ) as survivor_contact_id
    from reachable
    inner join cycle_members
        on
            reachable.workspace_id = cycle_members.workspace_id
            and reachable.reached_contact_id = cycle_members.contact_id
    inner join into_cycles
        on
            cycle_members.workspace_id = into_cycles.workspace_id
            and cycle_members.contact_id = into_cycles.contact_id
    group by reachable.workspace_id, reachable.contact_id
)

select
    workspace_id,
    contact_id,
    survivor_contact_id
from survivors
union all
select
    workspace_id,
    contact_id,
    survivor_contact_id
from last_merges
