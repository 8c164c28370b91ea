{{ config(materialized='view') }}

with accepted as (
    {{ resolved_events(ref('int_new_records')) }}
    where events.event_key is not null
)

{{ standing_events('accepted') }}
