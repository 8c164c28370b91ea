{{ config(materialized='view') }}

select
    histories.workspace_id,
    histories.contact_id,
    histories.contact_name,
    case
        when histories.merged_at is not null and histories.deleted_at > histories.merged_at then 'deleted'
        when histories.merged_at is not null then 'merged'
        when histories.deleted_at is not null then 'deleted'
        else 'active'
    end as status,
    histories.first_event_at,
    histories.last_event_at,
    histories.added_at,
    histories.first_connected_at,
    histories.deleted_at,
    histories.merged_at,
    histories.merged_into_contact_id,
    coalesce(survivors.survivor_contact_id, histories.contact_id) as survivor_contact_id
from {{ ref('int_contact_histories') }} as histories
left join {{ ref('int_contact_survivors') }} as survivors
    on histories.workspace_id = survivors.workspace_id and histories.contact_id = survivors.contact_id
