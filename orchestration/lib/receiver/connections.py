"""What a connection may take before its sender has shown a key: bytes of a head, seconds, a place among so many."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from uvicorn.protocols.http.h11_impl import H11Protocol

# The head of a webhook of respond.io's, with what proxies add, takes less than 2 KiB.
HEAD_BYTES = 16 << 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Of all connections of a server."""

    connections: int = 1000
    # From the connection's beginning, or from the answer before, to the end of a head.
    head_seconds: float = 10.0
    # From the end of a head to the end of its answer. It is more than a body may take, so that a slow one is told so.
    answer_seconds: float = 60.0
    # What is still taken of a body that was refused before its end: who is cut off while sending may not see why.
    refused_bytes: int = 4 << 20
    # Whoever opens connections by the thousand does not write the log by the thousand lines.
    seconds_between_warnings: float = 60.0


def bounded(limits: Limits) -> type[H11Protocol]:
    """The protocol of connections that keep within `limits`.

    Uvicorn by itself closes a connection only some seconds after an answer, and never one that sent no whole request.
    One connection too many is taken all the same, and the one whose request has taken longest is closed: an honest
    sender needs a fraction of a second, so it is not that one.
    """
    oldest_first: OrderedDict[H11Protocol, None] = OrderedDict()
    warned_at = -limits.seconds_between_warnings

    class BoundedProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None
        _timed: object = None  # the request that the timer is for
        _refused = 0  # bytes that came after the answer

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._begin()
            if len(oldest_first) > limits.connections:
                oldest, _ = oldest_first.popitem(last=False)
                oldest.transport.abort()
                self._warn()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not self._timed:  # A head has come to its end.
                self._timed = self.cycle
                self._arm(limits.answer_seconds)
            elif self.cycle is not None and self.cycle.response_complete:
                self._refused += len(data)
                if self._refused > limits.refused_bytes:
                    self.transport.abort()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self in oldest_first:
                self._begin()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            oldest_first.pop(self, None)
            if self._timer is not None:
                self._timer.cancel()

        def _begin(self) -> None:
            oldest_first[self] = None
            oldest_first.move_to_end(self)
            # The next request may have come with the one before.
            waits_for_head = self.cycle is self._timed
            self._timed = self.cycle
            self._refused = 0
            self._arm(limits.head_seconds if waits_for_head else limits.answer_seconds)

        def _arm(self, seconds: float) -> None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(seconds, self.transport.abort)

        def _warn(self) -> None:
            nonlocal warned_at
            now = self.loop.time()
            if now - warned_at >= limits.seconds_between_warnings:
                warned_at = now
                _log.warning(
                    "More than %d connections at once: the ones that take longest are closed", limits.connections
                )

    return BoundedProtocol
