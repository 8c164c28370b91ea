{{ config(parameters=['instant']) }}

{{ date_ranges_at('cast(instant as timestamptz)') }}
