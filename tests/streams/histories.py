"""Puts a landing folder's history together, of all kinds of files."""

from __future__ import annotations

from random import Random

from tests.streams.canonical import Stream
from tests.streams.connectors import Connectors
from tests.streams.writing import Delivery


def make_deliveries(rng: Random, deliveries: int = 4, events: int = 40) -> list[Delivery]:
    """A history of so many deliveries, each with about so many new records; the same for the same seed.

    The order is part of it: apply one delivery, load, apply the next.
    """
    stream = Stream(rng, (events + 1) // 2)
    connectors = Connectors(rng, stream, (events + 1) // 2)
    history: list[Delivery] = []
    for _ in range(deliveries):
        delivery = stream.next_delivery()
        connectors.deliver(delivery)
        history.append(delivery)
    return history
