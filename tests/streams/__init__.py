"""Generates edge-case-ridden histories of a landing folder: files arrive, overlap, change, break and go."""

from tests.streams.histories import make_deliveries
from tests.streams.one_history import OneHistory, make_one_history
from tests.streams.writing import Delivery, apply

__all__ = ["Delivery", "OneHistory", "apply", "make_deliveries", "make_one_history"]
