with added as (
    select
        cast(facts.workspace_id as string) as workspace_id,
        dates.month_start,
        cast(facts.source as string) as source,
        cast(facts.source_label as string) as source_label,
        {{ hours_between('facts.occurred_at', 'contacts.first_connected_at') }} as hours_to_connect,
        {{ microseconds('contacts.first_connected_at') }} - {{ microseconds('facts.occurred_at') }} as us_to_connect
    from {{ ref('fct_contacts_added') }} as facts
    -- Joined for its months: DuckDB then skips the days outside of a filter on the month (the newest two: 58 against
    -- 214 ms).
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
    -- From a sum of whole numbers: a sum of floating-point numbers depends on the order of the rows.
    cast(sum(us_to_connect) as double) / count(us_to_connect) / 3600000000 as average_hours_to_connect
from added
group by workspace_id, month_start, source, source_label
