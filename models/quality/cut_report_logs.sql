-- A day that another download covers need not be downloaded again.
with days as (
    select
        downloads.file_id,
        downloads.workspace_id,
        downloads.event_type,
        dates.date_day as report_date
    from {{ ref('int_report_log_downloads') }} as downloads
    inner join {{ ref('dim_date') }} as dates on dates.date_day between downloads.first_date and downloads.last_date
    where downloads.is_cut
),

days_to_download as (
    select
        days.file_id,
        min(days.report_date) as download_from,
        max(days.report_date) as download_to,
        count(*) as days_to_download
    from days
    where
        not exists (
            select 1 from {{ ref('int_report_log_downloads') }} as others
            where
                others.file_id <> days.file_id
                and others.workspace_id = days.workspace_id
                and others.event_type = days.event_type
                and days.report_date between others.covers_from and others.covers_to
        )
    group by days.file_id
)

select
    downloads.workspace_id,
    downloads.event_type,
    files.source_file,
    files.loaded_at,
    downloads.first_date,
    downloads.last_date,
    days_to_download.download_from,
    days_to_download.download_to,
    coalesce(days_to_download.days_to_download, 0) as days_to_download
from {{ ref('int_report_log_downloads') }} as downloads
inner join {{ ref('stg_files') }} as files on downloads.file_id = files.file_id
left join days_to_download on downloads.file_id = days_to_download.file_id
where downloads.is_cut
