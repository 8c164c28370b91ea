{{ config(parameters=['instant']) }}

select
    cast(ranges.workspace_id as varchar) as workspace_id,
    ranges.date_range,
    ranges.label,
    ranges.start_date,
    ranges.end_date
from ({{ date_ranges_at('cast(instant as timestamptz)') }}) as ranges
