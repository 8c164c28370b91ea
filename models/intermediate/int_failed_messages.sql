{{ config(materialized='view') }}

-- The last reported status decides (contract 4). Nearly all messages never failed, and are left out first.
with statuses as (
    select * from {{ ref('stg_message_statuses') }}
    where
        (workspace_id, message_id) in (
            select workspace_id, message_id from {{ ref('stg_message_statuses') }}
            where status = 'failed'
        )
),

latest as (
    select * from statuses
    qualify row_number() over (partition by workspace_id, message_id order by file_id desc, source_line desc) = 1
)

select
    {{ listed_workspace('workspace_id') }} as workspace_id,
    message_id
from latest
where status = 'failed'
