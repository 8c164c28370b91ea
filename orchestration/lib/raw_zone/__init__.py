"""The raw zone: every landed record, as text, in Parquet batches that appear whole or not at all.

Keeps and merges batches, and says what was loaded. Reading files is the work of `extraction`; what a record means is
left to the models.
"""
