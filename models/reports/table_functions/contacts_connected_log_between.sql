{{
    config(parameters=[
        'start_date',
        'end_date',
        'workspace_id := null',
        'user_ids := null',
        'sources := null',
        'contact_ids := null',
        'channel_ids := null',
        'contact_name := null',
    ])
}}

select
    cast(facts.workspace_id as string) as workspace_id,
    facts.occurred_at,
    facts.occurred_at_local,
    facts.report_date,
    facts.contact_id,
    facts.contact_name,
    cast(facts.source as string) as source,
    cast(facts.source_label as string) as source_label,
    facts.user_id,
    facts.user_name,
    facts.event_id,
    cast(facts.route as string) as route,
    facts.channel_id,
    facts.channel_name
from {{ ref('fct_contacts_connected') }} as facts
inner join ({{ checked_arguments() }}) as checked on checked.refusals = 0
where
    {{ passes_filters('facts', contacts_of('connected'), channels=true) }}
    and {{ passes_contact_name('facts') }}
