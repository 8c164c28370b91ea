"""What a connection may take before its sender has shown a key: bytes of a head, seconds, a place among so many."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

# The head of a webhook of respond.io's, with what proxies add, takes less than 2 KiB.
HEAD_BYTES = 16 << 10
_END_OF_HEAD = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Of all connections of a server."""

    connections: int = 1000
    # From the connection's beginning, or from the answer before, to the end of a head.
    head_seconds: float = 10.0
    # From the end of a head to its answer. Longer than a body may take, so that the sender of a slow one gets its 408.
    answer_seconds: float = 60.0
    # Of a body that was refused before its end so much is still taken: a sender that is cut off may not see the answer.
    refused_bytes: int = 4 << 20
    # A flood of connections does not become a flood of log lines.
    seconds_between_warnings: float = 60.0


def bounded(limits: Limits) -> type[asyncio.Protocol]:
    """Uvicorn's protocol by h11, for connections that keep within `limits`."""
    connections = Connections(limits)

    class Bounded(BoundedProtocol):
        def __init__(self, **of_uvicorn: Any) -> None:
            super().__init__(connections, H11Protocol(**of_uvicorn))

    return Bounded


class Connections:
    """The connections of a server, which keep within its limits.

    Uvicorn by itself closes a connection only some seconds after an answer, and never one that sent no whole request.
    One connection too many is taken all the same, and the one that has waited longest for an answer is closed: an
    honest sender needs a fraction of a second, so it is not that one.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._oldest_first: OrderedDict[BoundedProtocol, None] = OrderedDict()
        self._warned_at: float | None = None

    def begin(self, connection: "BoundedProtocol", now: float) -> None:
        """A connection waits for a request from now on. Closes another one if there are too many."""
        self._oldest_first[connection] = None
        self._oldest_first.move_to_end(connection)
        if len(self._oldest_first) > self.limits.connections:
            oldest, _ = self._oldest_first.popitem(last=False)
            oldest.abort()
            self._warn(now)

    def end(self, connection: "BoundedProtocol") -> None:
        self._oldest_first.pop(connection, None)

    def _warn(self, now: float) -> None:
        if self._warned_at is None or now - self._warned_at >= self.limits.seconds_between_warnings:
            self._warned_at = now
            _log.warning(
                "More than %d connections at once: the ones that take longest are closed", self.limits.connections
            )


class BoundedProtocol(asyncio.Protocol):
    """Passes what is received to another protocol, as long as the connection keeps within the limits.

    It knows of a request only what goes over the connection: when its head has come to an end, and when it is answered.
    """

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self._connections, self._inner = connections, inner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._head: bytes | None = b""  # what may be the end of a head; None when it has come to its end
        self._received = 0  # bytes since the last answer, until the end of a head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # As one of any other loop, that of uvloop is a transport by its methods alone.
        self._transport = cast(asyncio.Transport, transport)
        self._wait_for_head()
        self._inner.connection_made(cast(asyncio.BaseTransport, _Watched(self._transport, self)))

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._received += len(data)
            self._head += data
            if _END_OF_HEAD in self._head:
                self._head = None
                self._arm(self._connections.limits.answer_seconds)
            else:
                self._head = self._head[1 - len(_END_OF_HEAD) :]
                if self._received > self._connections.limits.refused_bytes:
                    self.abort()
                    return
        self._inner.data_received(data)

    def answered(self, data: bytes) -> None:
        """A part of an answer goes out."""
        if not data.startswith(_CONTINUE):
            self._wait_for_head()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.end(self)
        if self._timer is not None:
            self._timer.cancel()
        self._inner.connection_lost(exc)

    def abort(self) -> None:
        self._transport.abort()

    def _wait_for_head(self) -> None:
        self._head, self._received = b"", 0
        self._arm(self._connections.limits.head_seconds)
        self._connections.begin(self, self._loop.time())

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.abort)


class _Watched:
    """A transport that says what is written to it."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedProtocol) -> None:
        self._transport, self._protocol = transport, protocol

    def write(self, data: bytes) -> None:
        self._protocol.answered(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
