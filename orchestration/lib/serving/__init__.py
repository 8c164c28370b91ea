"""What services that others speak to have in common: their socket, their log, and limits for connections.

Belongs here: what holds for any server of HTTP. Does not belong here: what a request means.
"""
