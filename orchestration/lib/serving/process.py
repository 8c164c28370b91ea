"""A service as a process: its socket, its log, and serving until a signal."""

import logging
import resource
import signal
import socket
import sys
import time
from typing import TextIO

import uvicorn
from starlette.types import ASGIApp

from orchestration.lib.problems import Problem
from orchestration.lib.serving.connections import HEAD_BYTES, Limits, bounded
from orchestration.lib.text import printable, printable_lines

# Connections that the system accepts before the service takes them.
_BACKLOG = 256

# After a signal, open requests have this long to finish. Process managers kill after 10 seconds or more.
_SHUTDOWN_SECONDS = 5


def listen(service: str, host: str, port: int) -> socket.socket:
    """A listening socket. Raises Problem if the address cannot be used."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise Problem(
            f"{service} cannot listen on {host}:{port} ({getattr(error, 'strerror', error)})",
            "Stop what listens there, or name another place with --host and --port",
        ) from None


def address_of(listener: socket.socket) -> str:
    """The address that a socket listens on, as in a URL."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def become_service() -> None:
    """Log to standard error, and exit with 0 on SIGTERM and SIGINT."""
    logging.basicConfig(level=logging.INFO, handlers=[log_handler(sys.stderr)], force=True)
    # When uvicorn ends, it restores these handlers and repeats the signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


def serve(app: ASGIApp, listener: socket.socket, limits: Limits, files: int = 0) -> None:
    """Serve an application until a signal, then answer the open requests. `files`: how many files it opens itself."""
    _allow_open_files(limits.connections + _BACKLOG + files)
    config = uvicorn.Config(
        app,
        # httptools, uvicorn's first choice, accepts heads of any length.
        http=bounded(limits),
        h11_max_incomplete_event_size=HEAD_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _allow_open_files(count: int) -> None:
    """Raise the limit of open files to this number and some for the process itself, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 100
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


class _PrintableFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        # A traceback has the text of the error. That may quote the request.
        return printable_lines(super().format(record))


def log_handler(stream: TextIO) -> logging.Handler:
    """The handler of a service's log, whose lines begin with the time in UTC."""
    formatter = _PrintableFormatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    return handler
