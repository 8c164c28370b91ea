{{
    config(parameters=[
        'start_date',
        'end_date',
        'workspace_id := null',
    ])
}}

{%- set dates = argument('start_date', 'date') ~ ', ' ~ argument('end_date', 'date') %}

select
    waits.workspace_id,
    waits.month_start,
    waits.source,
    waits.source_label,
    waits.contacts_added,
    waits.contacts_connected,
    waits.percentage,
    waits.median_hours_to_connect,
    waits.average_hours_to_connect
from {{ ref('contacts_time_to_connect') }} as waits
inner join ({{ checked_arguments(with_sources=false) }}) as checked on checked.refusals = 0
where
    -- The range is never empty, as in `passes_filters`.
    waits.month_start
    between coalesce(date_trunc('month', least({{ dates }})), date '0001-01-01')
    and coalesce(greatest({{ dates }}), date '9999-12-31')
    and (not {{ is_given('workspace_id') }} or waits.workspace_id = {{ argument('workspace_id', 'string') }})
order by waits.month_start desc, waits.contacts_added desc, waits.workspace_id asc, waits.source asc
