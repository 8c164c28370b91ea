"""The application of the report page in this process, with routes of its own, and a browser of it."""

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import anyio.to_thread
import duckdb
import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.access import LOCAL_NAMES, Access, Turns
from page.app import application
from page.filters import Refused
from page.publication import Publication, TooSlow

PASSWORD = "correct horse battery"  # pragma: allowlist secret
LOCAL = Access(LOCAL_NAMES, None)
DETAIL = "detail-of-the-defect"


def access_with(password: str = PASSWORD, turns: Turns | None = None) -> Access:
    return Access(None, password.encode(), turns or Turns(seconds=0))


def publish(path: Path, loaded_at: str = "2026-01-01T10:00:00Z") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with duckdb.connect(str(new)) as connection:
        connection.execute("create schema reports")
        connection.execute("create table reports.data_status as select $1::timestamptz as last_loaded_at", [loaded_at])
    os.replace(new, path)


def fails(error: Exception) -> Route:
    def fail(request: Request) -> Response:
        raise error

    return Route(f"/{'api/' if isinstance(error, Refused) else ''}{type(error).__name__}", fail)


async def threads(request: Request) -> Response:
    return PlainTextResponse(str(anyio.to_thread.current_default_thread_limiter().total_tokens))


async def own_header(request: Request) -> Response:
    return PlainTextResponse("", headers={"Cache-Control": "no-store", "Content-Security-Policy": "default-src *"})


ROUTES = [
    Route("/", lambda request: PlainTextResponse("the page")),
    Route("/threads", threads),
    Route("/own", own_header),
    fails(RuntimeError(DETAIL)),
    fails(TooSlow()),
    fails(duckdb.CatalogException("Table with name report_filters does not exist!")),
    fails(Refused("work<b>", "unknown_value", ["acme", "globex"], value="<script>")),
]


def app_of(folder: Path, access: Access) -> ASGIApp:
    (folder / "exports").mkdir(exist_ok=True)
    return application(ROUTES, Publication(folder / "published" / "file.duckdb", folder / "exports"), access)


class Client:
    """A browser of an application in this process, from its start to its end. Several requests wait for none."""

    def __init__(self, app: ASGIApp, url: str = "http://127.0.0.1:8000") -> None:
        self._app, self._url = app, url

    def __enter__(self) -> "Client":
        self._runner = asyncio.Runner()
        self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._received.put_nowait({"type": "lifespan.shutdown"})
        self._runner.run(asyncio.wait_for(self._life, 10))
        self._runner.close()

    async def _start(self) -> None:
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        sent: asyncio.Queue[Message] = asyncio.Queue()
        self._received.put_nowait({"type": "lifespan.startup"})
        self._life = asyncio.create_task(self._run({"type": "lifespan"}, self._received.get, sent.put))
        assert (await sent.get())["type"] == "lifespan.startup.complete"

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def request(self, method: str, path: str, **values: Any) -> httpx.Response:
        return self._runner.run(self._request(method, path, **values))

    async def _request(self, method: str, path: str, **values: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self._url) as client:
            return await client.request(method, path, **values)

    def get(self, path: str, **values: Any) -> httpx.Response:
        return self.request("GET", path, **values)

    def head(self, path: str) -> httpx.Response:
        return self.request("HEAD", path)

    def post(self, path: str) -> httpx.Response:
        return self.request("POST", path)


def basic(password: str | bytes, user: str = "anybody") -> str:
    password = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(user.encode() + b":" + password).decode()
