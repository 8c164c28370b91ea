"""What exists in Dagster: assets along the flow, their checks, and what starts a run."""
