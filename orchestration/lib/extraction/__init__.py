"""From new files of the landing folder to a batch of the raw zone.

Reads, splits and decodes text and Parquet files. What a value means is left to the models.
"""
