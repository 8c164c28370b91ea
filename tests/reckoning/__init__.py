"""Reckons the contract's outputs in plain Python, to compare the pipeline's published views with."""

from tests.reckoning.files import comparable_row
from tests.reckoning.reckoner import Reckoning
from tests.reckoning.values import EVENT_TYPES

__all__ = ["EVENT_TYPES", "Reckoning", "comparable_row"]
