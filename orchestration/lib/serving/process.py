"""A service as a process: the socket it listens on, its log, how many files it may open."""

import logging
import resource
import socket
import time
from typing import TextIO

from orchestration.lib.problems import Problem
from orchestration.lib.text import printable, printable_lines

# Connections that the system accepts before the service takes them.
BACKLOG = 256

# After a signal, open requests have this long to finish. Process managers kill after 10 seconds or more.
SHUTDOWN_SECONDS = 5


def listen(service: str, host: str, port: int) -> socket.socket:
    """A socket that listens. Raises Problem where that is not possible."""
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


def allow_open_files(count: int) -> None:
    """Raise the limit of open files to this number and some for the process itself, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 100
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


class _PrintableFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        # A traceback has the text of an error, and that may quote what somebody sent.
        return printable_lines(super().format(record))


def log_handler(stream: TextIO) -> logging.Handler:
    """The handler of a service's log, whose lines begin with the time in UTC."""
    formatter = _PrintableFormatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    return handler
