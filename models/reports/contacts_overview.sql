select
    cast(workspace_id as string) as workspace_id,
    report_date,
    contacts_added,
    contacts_deleted,
    contacts_merged
from {{ ref('agg_overview_daily') }}
