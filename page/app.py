"""The report page and the reports API as one ASGI application: routes, static files, errors, access control."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

import anyio
import anyio.to_thread
import duckdb
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from orchestration.lib.settings import Settings
from page import api
from page.access import Access, AccessLog, Guard
from page.answers import EXCEPTION_HANDLERS, failure
from page.assets import Static
from page.downloads import Downloads
from page.pages import Pages
from page.plain import json_response
from page.publication import NotPublished, Publication, TooSlow
from page.trust import read_as_of

# So many requests read the published file at the same time. Others wait. On two cores, of fifty pages of other days at
# once, four threads answered all in 8 s; of eight threads some queries starved, and three pages took more than 10 s.
_THREADS = 4
_HEALTH_SECONDS = 5.0


def create_app(settings: Settings, publication: Publication, exports: Path, access: Access) -> ASGIApp:
    """The report page and the API of a publication. Downloads are written to the folder `exports`."""
    downloads = Downloads(publication, exports)
    pages = Pages(publication, downloads, settings.published, settings.raw)
    return application([*pages.routes(), *api.routes(publication, downloads)], publication, access)


def application(routes: Sequence[BaseRoute], publication: Publication, access: Access) -> ASGIApp:
    """An application of these routes, with the middleware and the error handlers."""
    app = Starlette(
        routes=[*routes, Route("/health", _Health(publication).answer), Mount("/static", Static())],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=_following(publication),
    )
    # Otherwise Starlette redirects a path with a trailing slash to the host that the request names.
    app.router.redirect_slashes = False
    return AccessLog(Guard(app, access))


class _Health:
    """Whether the publication can be read. It has its own thread, so a monitor gets an answer under any load."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication
        self._limiter = anyio.CapacityLimiter(1)

    async def answer(self, request: Request) -> Response:
        try:
            as_of = await anyio.to_thread.run_sync(self._as_of, limiter=self._limiter)
        except (NotPublished, TooSlow, duckdb.Error) as reason:
            failed = failure(request.scope["path"], reason)  # Logs the reason.
            return json_response({"ok": False, "as_of": None}, failed.status_code)
        return json_response({"ok": True, "as_of": as_of})

    def _as_of(self) -> datetime | None:
        with self._publication.reading(_HEALTH_SECONDS) as reader:
            return read_as_of(reader)


def _following(publication: Publication) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        with publication:
            yield

    return lifespan
