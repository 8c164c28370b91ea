"""A local stand-in of respond.io's Developer API v2, for tests and the sample: paging, a rate limit, faults on demand.

It behaves as the API is known to behave, and refuses what the API refuses.
"""

import asyncio
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

Item = Mapping[str, Any]
CursorForm = Literal["address", "relative", "number", "text"]
Fault = Callable[[dict[str, Any]], Response]
"""Makes a faulty answer from the right page."""


@dataclass
class Workspace:
    """What one token gives access to."""

    contacts: list[Item] = field(default_factory=list)  # id, created_at (unix seconds), …
    users: list[Item] = field(default_factory=list)
    channels: list[Item] = field(default_factory=list)


class Asked(NamedTuple):
    """A request, and the status of its answer."""

    at: float  # time.monotonic
    path: str
    query: dict[str, str]
    body: Any
    status: int


@dataclass
class StandIn:
    """The API: its workspaces by token, and how it behaves."""

    workspaces: dict[str, Workspace]
    cursor_form: CursorForm = "address"
    end: str | None = ""  # `next` on the last page
    rate_limit: int | None = None  # requests a second, for each token, method and path
    faults: dict[str, Iterator[Fault | None]] = field(default_factory=dict)  # path → of each next request
    asked: list[Asked] = field(default_factory=list)
    _answered: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def app(self) -> Starlette:
        """The API as an ASGI application."""
        return Starlette(
            routes=[
                Route("/v2/contact/list", self._endpoint(self._contacts), methods=["POST"]),
                Route("/v2/space/user", self._endpoint(lambda workspace, _: workspace.users), methods=["GET"]),
                Route("/v2/space/channel", self._endpoint(lambda workspace, _: workspace.channels), methods=["GET"]),
            ]
        )

    @contextmanager
    def served(self, port: int = 0) -> Iterator[str]:
        """Serve it on a port of this machine, by default a free one, during the block. Yields the base address."""
        with socket.create_server(("127.0.0.1", port)) as listening:
            server = uvicorn.Server(
                uvicorn.Config(
                    self.app(), lifespan="off", log_config=None, access_log=False, log_level="critical", ws="none"
                )
            )
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            # A client that connects before the server is up waits in the socket's queue.
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}/v2"
            finally:
                server.should_exit = server.force_exit = True
                thread.join()

    def _endpoint(self, members: Callable[[Workspace, Any], list[Item]]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            path = request.url.path.removeprefix("/v2")
            content = await request.body()
            body = json.loads(content) if content else None
            query = dict(request.query_params)
            response = self._answer(request, path, query, body, members)
            self.asked.append(Asked(time.monotonic(), path, query, body, response.status_code))
            return response

        return answer

    def _answer(
        self,
        request: Request,
        path: str,
        query: dict[str, str],
        body: Any,
        members: Callable[[Workspace, Any], list[Item]],
    ) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if (workspace := self.workspaces.get(token)) is None:
            return html(403)({})
        limits: dict[str, str] = {}
        if self.rate_limit is not None:
            now = time.monotonic()
            answered = self._answered.setdefault((token, request.method, path), [])
            answered[:] = [at for at in answered if at > now - 1]
            left = self.rate_limit - len(answered)
            limits = {"X-RateLimit-Limit": str(self.rate_limit), "X-RateLimit-Remaining": str(max(left - 1, 0))}
            if left <= 0:
                return error(429, "Too many requests", **limits, **{"Retry-After": "1"})({})
            answered.append(now)
        try:
            page = self._page(str(request.url), query, members(workspace, body))
        except (KeyError, TypeError, ValueError) as refusal:
            return error(400, f"Bad request: {refusal}")({})
        fault = next(self.faults.get(path, iter(())), None)
        response = fault(page) if fault else _json(page)
        response.headers.update(limits)
        return response

    def _contacts(self, workspace: Workspace, body: Any) -> list[Item]:
        if body["search"] != "":
            raise ValueError("the stand-in does not search")
        zone = ZoneInfo(body["timezone"])
        (condition,) = body["filter"]["$and"]
        asked = (condition["category"], condition["field"], condition["operator"])
        if asked != ("contactField", "createdAt", "isTimestampBetween"):
            raise ValueError(f"the stand-in does not know the filter {asked}")
        begin, end = (
            datetime.strptime(condition["value"][name], "%Y-%m-%d %H:%M").replace(tzinfo=zone).timestamp()
            for name in ("from", "to")
        )
        return [contact for contact in workspace.contacts if begin <= contact["created_at"] <= end]

    def _page(self, url: str, query: dict[str, str], members: list[Item]) -> dict[str, Any]:
        limit = int(query["limit"])
        if not 1 <= limit <= 100:
            raise ValueError("limit must be between 1 and 100")
        after = int(query.get("cursorId", 0))
        rest = sorted((each for each in members if each["id"] > after), key=lambda each: each["id"])
        items = rest[:limit]
        last = items[-1]["id"] if len(rest) > limit else None
        return {"items": items, "pagination": {"next": self._next(url, query, last), "previous": ""}}

    def _next(self, url: str, query: dict[str, str], cursor: int | None) -> str | int | None:
        if cursor is None:
            return self.end
        address = urllib.parse.urlsplit(url)._replace(query=urllib.parse.urlencode(query | {"cursorId": cursor}))
        match self.cursor_form:
            case "address":
                return address.geturl()
            case "relative":
                return f"{address.path}?{address.query}"
            case "number":
                return cursor
            case "text":
                return str(cursor)


def error(status: int, message: str = "Something went wrong", **headers: str) -> Fault:
    """The API's own errors. A 429's Retry-After is given as a header."""
    return lambda page: _json({"code": status, "message": message}, status, headers)


def html(status: int = 200) -> Fault:
    """HTML, as a proxy or a login page sends it."""
    content = "<!doctype html><style>p {}</style><title>Oops</title><p>You cannot &nbsp;be here</p>"
    return lambda page: Response(content, status, media_type="text/html")


def truncated(page: dict[str, Any]) -> Response:
    """A complete answer with half of its JSON."""
    content = json.dumps(page)
    return Response(content[: len(content) // 2], media_type="application/json")


def torn(page: dict[str, Any]) -> Response:
    """The connection is closed before the answer is complete."""
    content = json.dumps(page)

    async def half() -> Any:
        yield content[: len(content) // 2]

    return StreamingResponse(half(), headers={"Content-Length": str(len(content))})


def silent(seconds: float) -> Fault:
    """The answer begins after a while."""
    return lambda page: _slowly(page, [seconds])


def trickling(seconds: float, pieces: int) -> Fault:
    """The answer comes in pieces, and takes this long in all."""
    return lambda page: _slowly(page, [seconds / pieces] * pieces)


def body(content: bytes) -> Fault:
    """An answer of any bytes."""
    return lambda page: Response(content, media_type="application/json")


def leading_to(following: Any) -> Fault:
    """The right items with another `next`."""
    return lambda page: _json(page | {"pagination": {"next": following}})


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(content), status, headers, "application/json")


def _slowly(page: dict[str, Any], waits: list[float]) -> Response:
    content = json.dumps(page).encode()
    size = len(content) // len(waits) + 1

    async def pieces() -> Any:
        for number, seconds in enumerate(waits):
            await asyncio.sleep(seconds)
            yield content[number * size : (number + 1) * size]

    return StreamingResponse(pieces(), media_type="application/json")
