"""What these tests share: the API on a small publication, and an application of the page in this process."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from page.access import Access
from page.api import routes
from page.app import application
from page.downloads import Downloads
from page.publication import Publication
from tests.unit.page.in_process import LOCAL, Client, access_with, app_of, publish
from tests.unit.page.small_publication import Event, Small


@dataclass
class Site:
    """The API on a publication."""

    app: ASGIApp
    client: TestClient
    published: Path
    exports: Path
    publication: Publication
    downloads: Downloads

    def get(self, address: str, status: int = 200) -> Any:
        """What an address answers, as Python has JSON."""
        answer = self.client.get(address)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def ask(self, path: str, query: str = "", leave_after: float | None = None) -> list[Message]:
        """The bytes sent to a client that disconnects after so many seconds. The server may not notice it."""
        return anyio.run(self.send, path, query, leave_after)

    async def send(self, path: str, query: str, leave_after: float | None) -> list[Message]:
        """The same in the event loop of a test."""
        sent: list[Message] = []

        async def receive() -> Message:
            await anyio.sleep(60 if leave_after is None else leave_after)
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if leave_after is not None:
                await anyio.sleep(60)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "server": ("testserver", 80),
            "headers": [(b"host", b"testserver")],
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
        }
        await self.app(scope, receive, send)
        return sent

    def wait_for_publication(self, seen: Callable[[], object]) -> None:
        """Wait until the result changes. The page looks for a new file every second."""
        before, deadline = seen(), time.monotonic() + 20
        while seen() == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)


SiteOf = Callable[..., Site]


@contextmanager
def serving(folder: Path, small: Small | None, seconds: float = 30.0, **limits: Any) -> Iterator[Site]:
    """The API on a publication, or on none."""
    published, exports = folder / "contact_reports.duckdb", folder / "exports"
    exports.mkdir()
    if small:
        small.publish(published)
    publication = Publication(published, exports)
    downloads = Downloads(publication, exports, **limits)
    app = application(routes(publication, downloads, seconds=seconds), publication, Access(hosts=None, password=None))
    with TestClient(app) as client:
        yield Site(app, client, published, exports, publication, downloads)


@pytest.fixture
def site_of(tmp_path: Path) -> Iterator[SiteOf]:
    """Serves a publication, or none; more arguments are those of `serving`."""
    with ExitStack() as stack:
        yield lambda small=None, **limits: stack.enter_context(serving(tmp_path, small, **limits))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The API on a publication with one event, which no test of a module changes."""
    with serving(tmp_path_factory.mktemp("small"), Small([Event("a")])) as site:
        yield site


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    publish(folder / "published" / "file.duckdb")
    return folder


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[Client]:
    """A page without a password, on 127.0.0.1."""
    with Client(app_of(folder, LOCAL)) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Client]:
    """A page with a password."""
    with Client(app_of(folder, access_with()), "http://reports.example") as client:
        yield client
