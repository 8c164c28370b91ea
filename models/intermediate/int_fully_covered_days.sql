{{ config(materialized='view') }}

-- The days that a connected log covers completely. A message of such a day that the log does not list is no connected
-- event (contract 4). A download may have only a part of its first and of its last day. A cut download covers no day,
-- because it is not known which rows it lacks.
select
    downloads.workspace_id,
    dates.date_day as report_date,
    min(downloads.batch_id) as covered_since_batch
from {{ ref('int_report_log_downloads') }} as downloads
inner join {{ ref('dim_date') }} as dates
    on downloads.first_date < dates.date_day and downloads.last_date > dates.date_day
where downloads.event_type = 'connected' and not downloads.is_cut
group by downloads.workspace_id, dates.date_day
