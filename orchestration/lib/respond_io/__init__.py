"""The connector to respond.io's Developer API v2: a client, what it fetches into the landing folder, a stand-in."""
