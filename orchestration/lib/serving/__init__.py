"""The common parts of the services that accept connections: socket, log and connection limits.

Belongs here: what holds for any server of HTTP. Does not belong here: what a request means.
"""
