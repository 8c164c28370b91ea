"""Limits for connections before authentication: their number, the bytes of a request head, and timeouts."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

# The head of a webhook of respond.io, with the headers of proxies, has less than 2 KiB. A URL of the report page has
# several KiB if many contacts are selected.
HEAD_BYTES = 16 << 10
_END_OF_HEAD = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """The limits of a server."""

    connections: int = 1000
    # The time to receive a head, from the start of the connection, or for later requests, from their first byte.
    head_seconds: float = 10.0
    # From the end of a head to its answer. Longer than a body may take, so that the sender of a slow body gets a 408.
    answer_seconds: float = 60.0
    # The time without sending, from one part of a response to the next part or the next request.
    sending_seconds: float = 10.0
    # So many bytes of a refused head or body are still received. A client that is disconnected at once may not see the
    # response.
    refused_bytes: int = 4 << 20
    # Makes the response to a head of more than HEAD_BYTES from its first bytes. The rest of the head is received and
    # dropped: h11 would keep 2 MiB of it, and parse 400,000 headers for 1.5 s.
    too_long: Callable[[bytes], bytes] = lambda beginning: _TOO_LONG
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
        self._limits = connections.limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._head: bytes | None = b""  # its last bytes, to find its end; None after the end
        self._received = 0  # bytes of the head, since the last answer
        self._beginning = b""  # of the head, as far as it may be too long
        self._unsent: int | None = None  # bytes of an answer that wait in the transport; None before the first answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transport of uvloop has the methods of asyncio.Transport, and is no subclass of it.
        self._transport = cast(asyncio.Transport, transport)
        self._arm(self._limits.head_seconds)
        self._connections.begin(self, self._loop.time())
        self._inner.connection_made(cast(asyncio.BaseTransport, _Watched(self._transport, self)))

    def data_received(self, data: bytes) -> None:
        if self._head is not None and not self._is_passed_on(data):
            return
        self._inner.data_received(data)

    def _is_passed_on(self, data: bytes) -> bool:
        """Count a part of a head. Returns False if the head is too long, and for everything after it."""
        assert self._head is not None
        if not self._received and self._unsent is not None:
            self._unsent = None
            self._arm(self._limits.head_seconds)
        found = (self._head + data).find(_END_OF_HEAD)
        length = self._received + (len(data) if found < 0 else found - len(self._head) + len(_END_OF_HEAD))
        self._received += len(data)
        self._head = (self._head + data)[1 - len(_END_OF_HEAD) :]
        is_whole = found >= 0
        self._beginning += data[: HEAD_BYTES - len(self._beginning)]
        if length > HEAD_BYTES:
            if is_whole or length > self._limits.refused_bytes:
                self._transport.write(self._limits.too_long(self._beginning))
                self._transport.close()
            return False
        if is_whole:
            self._head, self._beginning = None, b""
            self._arm(self._limits.answer_seconds)
        return True

    def answered(self, data: bytes) -> None:
        """A part of an answer is sent, or waits until it can be sent."""
        if not data.startswith(_CONTINUE):
            self._head, self._received, self._beginning = b"", 0, b""
            self._unsent = self._transport.get_write_buffer_size()
            self._arm(self._limits.sending_seconds)
            self._connections.begin(self, self._loop.time())

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

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        if self._unsent is not None and unsent < self._unsent:
            # The client receives a long response slowly.
            self._unsent = unsent
            self._arm(self._limits.sending_seconds)
        else:
            self.abort()


class _Watched:
    """A transport that reports what is written to it."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedProtocol) -> None:
        self._transport, self._protocol = transport, protocol

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        self._protocol.answered(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
