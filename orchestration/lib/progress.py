"""Progress of a run, reported to whoever shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestration.lib.text import printable

Listener = Callable[[str, int, int], None]
"""Called with the name of a stage, how much of it is done, and how much there is in all."""

Hearer = Callable[[str], None]
"""Called with a line for the person who started the run."""

_listeners: list[Listener] = []
_hearers: list[Hearer] = []


def report(doing: str, done: int, total: int) -> None:
    """Report how far a stage is. Does nothing when nobody listens."""
    for listener in _listeners:
        listener(printable(doing), done, total)


def announce(line: str) -> None:
    """Report something unusual that needs no action."""
    for hearer in _hearers:
        hearer(printable(line))


@contextmanager
def listening(listener: Listener, hearer: Hearer) -> Iterator[None]:
    """Pass all progress of this process to one function and all announcements to another, from any thread."""
    _listeners.append(listener)
    _hearers.append(hearer)
    try:
        yield
    finally:
        _listeners.remove(listener)
        _hearers.remove(hearer)
