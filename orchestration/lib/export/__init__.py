"""Rows of the published file as CSV, XLSX and Parquet files, for the command `export` and for the report page.

Belongs here: what a file for a spreadsheet program needs. Does not belong here: who asks for it, and how it gets there.
"""
