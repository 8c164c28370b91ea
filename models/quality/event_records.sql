with records as (
    {% for event_type in event_types() -%}
    select
        workspace_id,
        '{{ event_type }}' as event_type,
        event_id,
        {{ contacts_of(event_type) | first }} as contact_id,
        {{ 'merged_contact_id' if event_type == 'merged' else 'cast(null as bigint)' }} as merged_contact_id,
        contact_name,
        occurred_at,
        occurred_at_local,
        report_date,
        cast(source_label as string) as source_label,
        user_name,
        {{ 'channel_name' if event_type == 'connected' else 'cast(null as string)' }} as channel_name,
        'standing' as state,
        cast(null as string) as reason,
        cast(null as string) as superseded_by,
        route,
        file_id,
        source_line
    from {{ ref('fct_contacts_' ~ event_type) }}
    union all
    {% endfor -%}
    select
        superseded.workspace_id,
        cast(superseded.event_type as string) as event_type,
        superseded.event_id,
        superseded.contact_id,
        superseded.merged_contact_id,
        superseded.contact_name,
        superseded.occurred_at,
        superseded.occurred_at_local,
        superseded.report_date,
        sources.source_label,
        superseded.user_name,
        case when superseded.event_type = 'connected' then superseded.channel_name end as channel_name,
        'superseded' as state,
        {{ published_reason('superseded') }} as reason,
        {{ superseded_by('superseded', 'newest_version') }} as superseded_by,
        superseded.route,
        superseded.file_id,
        superseded.source_line
    from {{ ref('int_resolved_superseded_events') }} as superseded
    inner join {{ ref('dim_source') }} as sources on superseded.source = sources.source
    {{ join_newest_version('superseded', 'newest_version') }}
)

select
    cast(records.workspace_id as string) as workspace_id,
    records.event_type,
    records.event_id,
    records.contact_id,
    records.merged_contact_id,
    records.contact_name,
    records.occurred_at,
    records.occurred_at_local,
    records.report_date,
    records.source_label,
    records.user_name,
    records.channel_name,
    records.state,
    records.reason,
    records.superseded_by,
    cast(records.route as string) as route,
    files.source_file,
    records.source_line,
    files.loaded_at
from records
inner join {{ ref('stg_files') }} as files on records.file_id = files.file_id
