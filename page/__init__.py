"""The report page and the reports API (contract 7): what a browser and a program are answered.

Belongs here: everything that serves the published file. Does not belong here: rules about data, which are views and
table functions of the published file; anything that writes into the data folder.
"""
