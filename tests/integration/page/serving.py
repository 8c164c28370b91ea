"""The report page in a process of its own, and the reports API in this one."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from orchestration.lib.settings import PROJECT_ROOT
from page.access import Access
from page.api import routes
from page.app import application
from page.downloads import Downloads
from page.publication import Publication


@contextmanager
def api_of(published: Path, exports: Path) -> Iterator[ASGIApp]:
    """The API as an application."""
    exports.mkdir()
    publication = Publication(published, exports)
    api = routes(publication, Downloads(publication, exports))
    yield application(api, publication, Access(hosts=None, password=None))


@contextmanager
def served(data: Path) -> Iterator[str]:
    """The address of a report page on a data folder, served by a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration", "page", "--port", str(port)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "CONTACT_REPORTS_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, address)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", address: str) -> None:
    until = time.monotonic() + 30
    while True:
        assert process.poll() is None, "the page's process ended"
        try:
            httpx.get(f"{address}/health", timeout=5)
        except httpx.TransportError:
            assert time.monotonic() < until, "the page does not answer"
            time.sleep(0.1)
        else:
            return
