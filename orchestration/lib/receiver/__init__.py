"""The receiver of webhooks: answers respond.io, keeps the bodies on the disk, and delivers them to the landing folder.

The web server, and the step of a run that collects what it kept. Nothing here reads a body: `extraction` does, when it
is a file of the landing folder.
"""
