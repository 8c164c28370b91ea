"""Generates edge-case-ridden histories of a landing folder: files arrive, overlap, change, break and go."""

from tests.streams.canonical import Delivery, apply, make_deliveries

__all__ = ["Delivery", "apply", "make_deliveries"]
