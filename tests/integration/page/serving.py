"""The report page in a process of its own, and the reports API in this one."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


class Page:
    """`python -m orchestration page`, on a data folder and a port of its own."""

    def __init__(self, folder: Path, password: str | None = None, *arguments: str, data: Path | None = None) -> None:
        self.data, self.temporary = data or folder / "data", folder / "temporary"
        self.output, self.log = folder / "output", folder / "log"
        for path in (self.data, self.temporary):
            path.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_REPORTS")}
        environment |= {"CONTACT_REPORTS_DATA": str(self.data), "TMPDIR": str(self.temporary)}
        environment |= {} if password is None else {"CONTACT_REPORTS_PAGE_PASSWORD": password}
        with self.output.open("wb") as output, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "orchestration", "page", "--port", str(self.port), *arguments],
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=output,
                stderr=log,
            )

    def wait_until_it_listens(self) -> None:
        until = time.monotonic() + 30
        while "It shows" not in self.output.read_text():
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text()
            time.sleep(0.01)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Returns after how many seconds it ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(20) == 0, self.log.read_text()
        return time.monotonic() - began

    def megabytes(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * resource.getpagesize() / 1e6


@contextmanager
def running(folder: Path, password: str | None = None, data: Path | None = None) -> Iterator[Page]:
    """A page that listens. `folder` has its output, its log and, without `data`, its data."""
    page = Page(folder, password, data=data)
    try:
        page.wait_until_it_listens()
        yield page
    finally:
        page.process.kill()
        page.process.wait()
