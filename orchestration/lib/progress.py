"""What a run is doing, told to whoever wants to show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestration.lib.text import printable

Listener = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""

Hearer = Callable[[str], None]
"""Called with a line that whoever started the run should read."""

_listeners: list[Listener] = []
_hearers: list[Hearer] = []


def report(doing: str, done: int, total: int) -> None:
    """Say how far something is. Nobody has to listen."""
    for listener in _listeners:
        listener(printable(doing), done, total)


def announce(line: str) -> None:
    """Say something that is out of the ordinary, and needs nobody's help."""
    for hearer in _hearers:
        hearer(printable(line))


@contextmanager
def listening(listener: Listener, hearer: Hearer) -> Iterator[None]:
    """Have a listener told of all progress in this process, and a hearer of all that is announced, from any thread."""
    _listeners.append(listener)
    _hearers.append(hearer)
    try:
        yield
    finally:
        _listeners.remove(listener)
        _hearers.remove(hearer)
