{{ config(materialized='incremental', pre_hook='{{ delete_newer_rows() }}') }}

with files as (
    select
        *,
        {{ spelled_words(base_name('source_file')) }} as name_words
    from {{ source('raw', 'files') }}
    where
        kind in ('report_logs', 'data_export')
        and batch_id > {{ last_built_batch() }}
),

columns_of_files as (
    select
        file_id,
        kind,
        {{ each_element('header', 'column_name', 'position') }}
    from files
),

-- The first column of a field counts. A custom field may have the same name as a column.
recognised as (
    select
        columns_of_files.file_id,
        header_names.field,
        min(columns_of_files.position) as position
    from columns_of_files
    inner join {{ ref('header_names') }} as header_names
        on
            columns_of_files.kind = header_names.kind
            and {{ header_spelling('columns_of_files.column_name') }} = {{ header_spelling('header_names.header') }}
    group by columns_of_files.file_id, header_names.field
),

positions as (
    select
        file_id,
        {{ first_positions('field', 'position') }}
    from recognised
    group by file_id
),

-- The name with the most words counts: contacts-added-merged.csv is an added log, merged from several downloads.
contents_by_name as (
    select
        files.file_id,
        file_names.contents,
        rank() over (
            partition by files.file_id
            order by length({{ replace_matches('file_names.words', '[^ ]', '') }}) desc
        ) as rank_by_words
    from files
    inner join {{ ref('file_names') }} as file_names
        on
            files.kind = file_names.kind
            and contains(files.name_words, {{ spelled_words('file_names.words') }})
),

named as (
    select
        file_id,
        case when min(contents) = max(contents) then min(contents) end as contents
    from contents_by_name
    where rank_by_words = 1
    group by file_id
),

with_columns as (
    select
        files.*,
        named.contents as named_contents,
        {{ field_positions('positions') }},
        coalesce(positions.primary_contact_id_position, positions.merged_contact_id_position) is not null
            as is_of_merged,
        -- The columns of the newer form of the added log. Other logs may have them too.
        coalesce(
            positions.sub_source_position,
            positions.ad_campaign_id_position,
            positions.ad_group_id_position,
            positions.ad_id_position
        ) is not null as is_of_newer_form
    from files
    left join positions on files.file_id = positions.file_id
    left join named on files.file_id = named.file_id
),

-- The name of a report log decides, or else its columns. The columns of a Data Export decide, or else its name.
-- Contacts may have custom fields with the names of columns of messages.
typed as (
    select
        *,
        case
            when kind = 'report_logs' and named_contents is not null then named_contents
            when kind = 'report_logs' and is_of_merged then 'merged'
            when kind = 'report_logs' and channel_name_position is not null then 'connected'
            when kind = 'report_logs' and is_of_newer_form then 'added'
            when kind = 'report_logs' then null
            when created_at_position is not null then 'contacts'
            when message_id_position is not null then 'messages'
            else named_contents
        end as contents
    from with_columns
),

with_missing as (
    select
        *,
        substr(
            case when contents = 'contacts' and created_at_position is null then ', created_at' else '' end
            || case when contents <> 'contacts' and occurred_at_position is null then ', occurred_at' else '' end
            || case when contents = 'messages' and message_id_position is null then ', message_id' else '' end
            || case
                when contact_id_position is not null then ''
                when contents = 'merged' and primary_contact_id_position is not null then ''
                else ', contact_id'
            end,
            3
        ) as missing
    from typed
),

-- The records of a file of unknown contents have no type of event. Where a required column is missing, its values are,
-- too.
validated as (
    select
        *,
        case
            when {{ element('header', 1) }} is null then null
            when contents is null and kind = 'report_logs'
                then 'neither the header nor the name of the file says which log it is'
            when contents is null then 'neither the header nor the name of the file says what was exported'
            when kind = 'report_logs' and contents <> 'merged' and is_of_merged
                then 'its name says that it is the ' || contents || ' log, and only the merged log has such columns'
        end as unknown_contents
    from with_missing
)

select
    batch_id,
    file_id,
    workspace_folder as workspace_id,
    kind,
    source_file,
    loaded_at,
    {{ joined_text('header', 'delimiter') }} as header,
    delimiter,
    contents,
    unknown_contents,
    case
        when unknown_contents is not null then unknown_contents
        when {{ element('header', 1) }} is not null and missing <> ''
            then 'no column of its header is known as ' || missing
    end as refusal,
    {{ field_positions() }}
from validated
