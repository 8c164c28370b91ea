"""A long answer of the server: received slowly, and not at all."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from orchestration.lib.serving.connections import Limits
from page.access import answer_to_long_head
from tests.serving_here import serving_here

# Long answers

LONG = 8 << 20


@pytest.fixture
def impatient() -> Iterator[int]:
    """A server with a long response. It disconnects clients that receive nothing for half a second."""

    def long(request: Request) -> Response:
        return PlainTextResponse("x" * LONG)

    limits = Limits(head_seconds=0.5, sending_seconds=0.5, too_long=answer_to_long_head)
    app = Starlette(routes=[Route("/", long)])
    with serving_here(app, limits, send_buffer=1 << 16, timeout_keep_alive=60) as port:
        yield port


def begin(port: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.connect(("127.0.0.1", port))
    connection.settimeout(5)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    return connection


@pytest.mark.slow
def test_a_long_answer_that_is_received_slowly_is_not_cut_off(impatient: int) -> None:
    received, began = 0, time.monotonic()
    with begin(impatient) as connection:
        # For some four times as long as nothing may move.
        while received < LONG:
            part = connection.recv(1 << 20)
            assert part, f"cut off after {received} bytes"
            received += len(part)
            if time.monotonic() - began < 2:
                time.sleep(0.05)
    assert time.monotonic() - began > 2


@pytest.mark.slow
def test_a_long_answer_to_a_client_that_stops_reading_is_cut_off(impatient: int) -> None:
    with begin(impatient) as connection:
        time.sleep(2)
        received = 0
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(1 << 20):
                received += len(part)
    assert received < LONG
