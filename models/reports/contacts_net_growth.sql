-- A merge takes the contact away that was merged into the other one.
with growth as (
    select
        overview.workspace_id,
        overview.report_date,
        overview.contacts_added,
        overview.contacts_deleted,
        overview.contacts_merged,
        overview.contacts_added - overview.contacts_deleted - overview.contacts_merged as net_growth
    from ({{ daily_overview() }}) as overview
)

select
    workspace_id,
    report_date,
    contacts_added,
    contacts_deleted,
    contacts_merged,
    net_growth,
    cast(sum(net_growth) over (
        partition by workspace_id order by report_date rows between unbounded preceding and current row
    ) as bigint) as running_total
from growth
