{{ config(parameters=['instant']) }}

{{ published_date_ranges('cast(instant as timestamptz)') }}
