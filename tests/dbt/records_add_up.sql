-- The landed records of each file, and of each type of event, are standing, superseded, rejected and ignored together
-- (contract 4).
{{ config(meta={'dagster': {'ref': {'name': 'load_balance'}}}) }}

with balances as (
    select
        workspace_id,
        source_file as counted_by,
        records_landed,
        records_standing + records_superseded + records_rejected + records_ignored as records_in_a_state
    from {{ ref('load_balance') }}
    union all
    select
        workspace_id,
        event_type as counted_by,
        records_landed,
        records_standing + records_superseded + records_rejected + records_ignored as records_in_a_state
    from {{ ref('data_status') }}
)

select * from balances
where records_landed <> records_in_a_state
