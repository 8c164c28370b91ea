"""The masked copy: the published file, with pseudonyms for contacts and users, for people who may not know them.

`columns.csv` says of every column what it may identify, `pseudonyms` what is shown in its place, and `publication`
writes the file.
"""
