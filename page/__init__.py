"""The report page and the reports API (contract 7): HTTP over the published file.

Belongs here: everything that serves the published file. Does not belong here: rules about data, as they are views and
table functions of the published file; code that writes into the data folder.
"""
