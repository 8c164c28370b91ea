"""The connector to respond.io's Developer API v2: a client, and what it fetches into the landing folder.

Only requests and files. When to fetch is decided by Dagster's definitions, and what the files mean by the models.
"""
