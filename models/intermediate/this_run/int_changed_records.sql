-- Records of earlier batches only. New records are identified by their batch.
select
    file_id,
    source_line
from {{ ref('int_superseded_changes') }}
where batch_id <= {{ last_built_batch() }}
{% for directory in ['user', 'channel'] -%}
union
select
    events.file_id,
    events.source_line
from {{ ref('int_changeable_events') }} as events
inner join {{ ref('int_directory_changes') }} as changes
    on
        events.workspace_id = changes.workspace_id
        and events.{{ directory }}_reference = changes.reference
        and changes.directory = '{{ directory }}'
where events.batch_id <= {{ last_built_batch() }}
{% endfor -%}
