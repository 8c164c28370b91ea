{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{% if is_incremental() %}
            delete from {{ this }}
            where (workspace_id, contact_id) in (select workspace_id, contact_id from {{ ref('int_changed_contacts') }})
        {% endif %}",
    )
}}
{% set changed_contacts = ref('int_changed_contacts') %}

-- A contact has a part in the events that bear its id, and in the merge by which it went.
with appearances as (
    select
        workspace_id,
        contact_id,
        event_type,
        false as is_merged_away,
        occurred_at,
        event_id,
        contact_name,
        cast(null as bigint) as merged_into_contact_id
    from {{ ref('fct_contact_events') }}
    union all
    select
        workspace_id,
        merged_contact_id as contact_id,
        event_type,
        true as is_merged_away,
        occurred_at,
        event_id,
        cast(null as varchar) as contact_name,
        contact_id as merged_into_contact_id
    from {{ ref('fct_contact_events') }}
    where merged_contact_id is not null
)

select
    workspace_id,
    contact_id,
    max_by(contact_name, {{ composite(['occurred_at', 'event_id']) }})
    filter (where contact_name is not null) as contact_name,
    min(occurred_at) as first_event_at,
    max(occurred_at) as last_event_at,
    min(occurred_at) filter (where event_type = 'added') as added_at,
    min(occurred_at) filter (where event_type = 'connected') as first_connected_at,
    max(occurred_at) filter (where event_type = 'deleted') as deleted_at,
    max(occurred_at) filter (where is_merged_away) as merged_at,
    max_by(merged_into_contact_id, {{ composite(['occurred_at', 'event_id']) }})
    filter (where is_merged_away) as merged_into_contact_id,
    max_by(event_id, {{ composite(['occurred_at', 'event_id']) }}) filter (where is_merged_away) as merge_event_id
from appearances
{% if is_incremental() %}
where (workspace_id, contact_id) in (select workspace_id, contact_id from {{ changed_contacts }})
{% endif %}
group by workspace_id, contact_id
