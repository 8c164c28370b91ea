{{ config(materialized='view') }}

{{ standing_events(ref('int_accepted_events')) }}
