-- Empty on a full refresh: no day is listed then.
{{ daily_counts(of_days=ref('int_changed_days')) }}
