"""The report page as people meet it: a process of its own that serves the published sample, and a browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from orchestration.lib.settings import PROJECT_ROOT
from tests.harness import Pipeline

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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


@pytest.fixture(scope="session")
def address(sample: Pipeline) -> Iterator[str]:
    """The address of the report page on the sample."""
    with served(sample.settings.data) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser. Tests that need one are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("The tests of the report page in a browser need Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Root may not use the sandbox, and CI is root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
