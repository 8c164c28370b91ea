"""How dbt is called: its manifest, its process, and what its results say.

Knows nothing of Dagster, and nothing of what the models mean.
"""
