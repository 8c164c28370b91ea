"""Receives webhooks: answers respond.io, keeps the bodies, hands them to the landing folder."""
