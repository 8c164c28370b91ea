"""A server of a service in a thread of this process, for tests that set its limits."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from orchestration.lib.serving.connections import HEAD_BYTES, Limits, bounded


@contextmanager
def serving_here(app: ASGIApp, limits: Limits, send_buffer: int | None = None, **settings: Any) -> Iterator[int]:
    """The port of an application that is served with these limits; `settings` are uvicorn's."""
    config = uvicorn.Config(
        app,
        http=bounded(limits),
        h11_max_incomplete_event_size=HEAD_BYTES,
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=1,
        **settings,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if send_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()
