{{ config(materialized='view') }}

-- The days on which a message that the connected log does not list connected nobody (contract 4). The first and the last
-- day of a download may be known in part only, and which end of its period a cut download lacks is not known.
select
    downloads.workspace_id,
    dates.date_day as report_date,
    min(downloads.batch_id) as covered_since_batch
from {{ ref('int_report_log_downloads') }} as downloads
inner join {{ ref('dim_date') }} as dates
    on dates.date_day > downloads.first_date and dates.date_day < downloads.last_date
where downloads.event_type = 'connected' and not downloads.is_cut
group by downloads.workspace_id, dates.date_day
