"""The digest: the numbers of each workspace for the last complete day, week or month, posted and mailed by itself.

It reads nothing but the published file. `numbers` reads it, `messages` writes the texts, `slack` and `mail` deliver
them, and `sending` keeps who got what.
"""
