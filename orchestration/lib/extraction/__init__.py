"""From new files of the landing folder to a batch of the raw zone.

Reads text and Parquet files and splits their records into fields, all of them text. Validates no value: that is left to
the models. Does not list files (`landing`), and does not decide where batches are (`raw_zone`).
"""
