"""What a run is doing, told to whoever wants to show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""

_listeners: list[Listener] = []


def report(doing: str, done: int, total: int) -> None:
    """Say how far something is. Nobody has to listen."""
    for listener in _listeners:
        listener(doing, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have a listener told of all progress in this process, whichever thread makes it."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
