"""Every landed record, as text, in Parquet batches that appear whole or not at all.

Keeps and merges batches. Knows nothing of where records come from or what they mean.
"""
