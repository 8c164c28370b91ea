"""Limits for connections, whose senders have not shown a key yet: their number, bytes of a head, and seconds."""

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
    """The limits of a server."""

    connections: int = 1000
    # From the start of the connection, or from the previous answer, to the end of a head.
    head_seconds: float = 10.0
    # From the end of a head to its answer. Longer than a body may take, so that the sender of a slow body gets a 408.
    answer_seconds: float = 60.0
    # This much of a refused body is still received: a sender that is cut off may not see the answer.
    refused_bytes: int = 4 << 20
    # So that a flood of connections makes few lines in the log.
    seconds_between_warnings: float = 60.0


def bounded(limits: Limits) -> type[asyncio.Protocol]:
    """Uvicorn's protocol on h11, with `limits` for its connections."""
    connections = Connections(limits)

    class Bounded(BoundedProtocol):
        def __init__(self, **of_uvicorn: Any) -> None:
            super().__init__(connections, H11Protocol(**of_uvicorn))

    return Bounded


class Connections:
    """The open connections of a server.

    Uvicorn itself closes a connection only some seconds after an answer, and never one without a whole request. When
    there are too many connections, the one that has waited longest for an answer is closed. An honest sender needs a
    fraction of a second, so it is not that one.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._oldest_first: OrderedDict[BoundedProtocol, None] = OrderedDict()
        self._warned_at: float | None = None

    def begin(self, connection: "BoundedProtocol", now: float) -> None:
        """A connection begins to wait for a request. Closes the oldest one if there are too many."""
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
    """Passes what is received to another protocol, as long as the connection is within the limits.

    It sees only bytes: it notices the end of a request's head, and the beginning of an answer.
    """

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self._connections, self._inner = connections, inner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._head: bytes | None = b""  # its last bytes, to find its end; None after the end
        self._received = 0  # bytes of the head, since the last answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transport of uvloop has the methods of asyncio.Transport, and is no subclass of it.
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
        """A part of an answer is sent."""
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
    """A transport that reports what is written to it."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedProtocol) -> None:
        self._transport, self._protocol = transport, protocol

    def write(self, data: bytes) -> None:
        self._protocol.answered(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
