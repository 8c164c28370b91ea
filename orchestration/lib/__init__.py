"""Plain code: imports without Dagster and without a dbt manifest. What exists is said in `orchestration/defs`."""
