{{ config(materialized='view') }}

select distinct
    downloads.workspace_id,
    downloads.event_type,
    dates.date_day as report_date
from {{ ref('int_report_log_downloads') }} as downloads
inner join {{ ref('dim_date') }} as dates on dates.date_day between downloads.covers_from and downloads.covers_to
