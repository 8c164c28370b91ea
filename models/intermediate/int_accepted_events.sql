{{ config(materialized='view') }}

{{ accepted_events(ref('stg_events')) }}
