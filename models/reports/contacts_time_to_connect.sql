with added as (
    select
        cast(facts.workspace_id as varchar) as workspace_id,
        dates.month_start,
        cast(facts.source as varchar) as source,
        cast(facts.source_label as varchar) as source_label,
        {{ hours_between('facts.occurred_at', 'contacts.first_connected_at') }} as hours_to_connect
    from {{ ref('fct_contacts_added') }} as facts
    -- Its months, so that a filter of them leaves the days of others unread (the newest two: 214 against 58 ms).
    inner join {{ ref('dim_date') }} as dates on facts.report_date = dates.date_day
    inner join {{ ref('dim_contact') }} as contacts
        on facts.workspace_id = contacts.workspace_id and facts.contact_id = contacts.contact_id
)

select
    workspace_id,
    month_start,
    source,
    source_label,
    count(*) as contacts_added,
    count(hours_to_connect) as contacts_connected,
    100 * cast(count(hours_to_connect) as double) / count(*) as percentage,
    median(hours_to_connect) as median_hours_to_connect,
    avg(hours_to_connect) as average_hours_to_connect
from added
group by workspace_id, month_start, source, source_label
