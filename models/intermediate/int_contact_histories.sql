{{
    config(
        materialized='incremental',
        pre_hook="{{ delete_rows_of(ref('int_changed_contacts'), ['workspace_id', 'contact_id']) }}",
    )
}}
{% set changed_contacts, facts = ref('int_changed_contacts'), ref('fct_contact_events') %}
{% set standing_of_changed_contacts = standing_events(ref('int_changeable_events')) %}

-- The history of a contact has the events with its id, and the merges in which it was merged away. Of two names at the
-- same instant, the one that was loaded later counts.
with
{% if is_incremental() -%}
-- The facts have the same events, but finding those of some contacts there would read all of them.
standing as (
    {{ standing_of_changed_contacts }}
),

{% endif -%}
own_events as (
    select
        workspace_id,
        contact_id,
        max_by(contact_name, {{ recency('occurred_at', 'file_id', 'source_line') }})
        filter (where contact_name is not null) as contact_name,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(occurred_at) filter (where event_type = 'added') as added_at,
        min(occurred_at) filter (where event_type = 'connected') as first_connected_at,
        max(occurred_at) filter (where event_type = 'deleted') as deleted_at,
        min(report_date) filter (where event_type = 'deleted') as first_deleted_on
    from {{ 'standing' if is_incremental() else facts }}
    {% if is_incremental() %}
    where (workspace_id, contact_id) in (select workspace_id, contact_id from {{ changed_contacts }})
    {% endif %}
    group by workspace_id, contact_id
),

merged_away as (
    select
        workspace_id,
        merged_contact_id as contact_id,
        min(occurred_at) as first_merged_at,
        max(occurred_at) as merged_at,
        min(report_date) as first_merged_on,
        max_by(contact_id, {{ composite(['occurred_at', 'event_id']) }}) as merged_into_contact_id,
        max_by(event_id, {{ composite(['occurred_at', 'event_id']) }}) as merge_event_id
    from {{ facts }}
    where
        merged_contact_id is not null
        {% if is_incremental() %}
        and (workspace_id, merged_contact_id) in (select workspace_id, contact_id from {{ changed_contacts }})
        {% endif %}
    group by workspace_id, merged_contact_id
)

select
    coalesce(own_events.workspace_id, merged_away.workspace_id) as workspace_id,
    coalesce(own_events.contact_id, merged_away.contact_id) as contact_id,
    own_events.contact_name,
    least(own_events.first_event_at, merged_away.first_merged_at) as first_event_at,
    greatest(own_events.last_event_at, merged_away.merged_at) as last_event_at,
    own_events.added_at,
    own_events.first_connected_at,
    own_events.deleted_at,
    least(own_events.first_deleted_on, merged_away.first_merged_on) as gone_on,
    merged_away.merged_at,
    merged_away.merged_into_contact_id,
    merged_away.merge_event_id
from own_events
full outer join merged_away
    on own_events.workspace_id = merged_away.workspace_id and own_events.contact_id = merged_away.contact_id
