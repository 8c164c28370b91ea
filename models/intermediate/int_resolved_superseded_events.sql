{{ config(materialized='view') }}

{{ resolved_events(ref('int_superseded_events'), ['superseded_as', 'standing_event_id']) }}
