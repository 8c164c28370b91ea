-- The percentages of each workspace and date range add up to 100: no join drops or doubles a row.
{{ config(meta={'dagster': {'ref': {'name': 'contacts_added_by_source_and_date_range'}}}) }}

with shares as (
    select
        workspace_id,
        date_range,
        'source' as shared_by,
        sum(percentage) as percentage
    from {{ ref('contacts_added_by_source_and_date_range') }}
    group by workspace_id, date_range
    union all
    select
        workspace_id,
        date_range,
        'channel' as shared_by,
        sum(percentage) as percentage
    from {{ ref('contacts_connected_by_channel_and_date_range') }}
    group by workspace_id, date_range
)

select * from shares
where abs(percentage - 100) > 0.000001
