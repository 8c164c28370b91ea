"""The report page as a process: checks its password, listens, logs, and ends on a signal."""

import contextlib
import logging
import signal
import sys
import tempfile
from pathlib import Path

import uvicorn

from orchestration.lib.secrets import read_page_password
from orchestration.lib.serving.connections import HEAD_BYTES, Limits, bounded
from orchestration.lib.serving.process import (
    BACKLOG,
    SHUTDOWN_SECONDS,
    address_of,
    allow_open_files,
    listen,
    log_handler,
)
from orchestration.lib.settings import Settings
from orchestration.lib.text import printable
from page.access import Access, answer_to_long_head, required_hosts
from page.app import create_app
from page.publication import Publication

# A large export takes minutes to make, and its receiver may be slow.
LIMITS = Limits(answer_seconds=600, sending_seconds=120, too_long=answer_to_long_head)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the report page until SIGTERM or SIGINT, then answer the open requests and exit with 0.

    Raises Problem where the port is taken, where the password is too weak, or where others could read without one.
    """
    password = read_page_password()
    with (
        contextlib.closing(listen("The report page", host, port)) as listener,
        tempfile.TemporaryDirectory(prefix="contact-reports-page-", ignore_cleanup_errors=True) as exports,
    ):
        hosts = required_hosts(listener.getsockname()[0], has_password=password is not None)
        logging.basicConfig(level=logging.INFO, handlers=[log_handler(sys.stderr)], force=True)
        # When uvicorn ends, it restores these handlers and repeats the signal.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        allow_open_files(LIMITS.connections + BACKLOG)
        publication = Publication(settings.published, Path(exports))
        config = uvicorn.Config(
            create_app(settings, publication, Path(exports), Access(hosts, password)),
            http=bounded(LIMITS),
            h11_max_incomplete_event_size=HEAD_BYTES,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        print(f"The report page is at http://{address_of(listener)}")
        print(printable(f"It shows {settings.published}"), flush=True)
        uvicorn.Server(config).run(sockets=[listener])
