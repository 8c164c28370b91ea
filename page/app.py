"""The report page and the reports API as one ASGI application: routes, files, errors, access."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import duckdb
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from orchestration.lib.settings import Settings
from page import api
from page.access import Access, AccessLog, Guard
from page.answers import EXCEPTION_HANDLERS, failure
from page.assets import Static
from page.downloads import Downloads
from page.pages import Pages
from page.publication import NotPublished, Publication, TooSlow
from page.trust import read_as_of

# Requests that read the published file at the same time. All others wait.
_THREADS = 8
_HEALTH_SECONDS = 5.0


def create_app(settings: Settings, publication: Publication, exports: Path, access: Access) -> ASGIApp:
    """The report page and the API of a publication. `exports` is the folder that files for download are written to."""
    downloads = Downloads(publication, exports)
    pages = Pages(publication, downloads, settings.published, settings.raw)
    return application([*pages.routes(), *api.routes(publication, downloads)], publication, access)


def application(routes: Sequence[BaseRoute], publication: Publication, access: Access) -> ASGIApp:
    """An application of these routes, with everything around them."""
    app = Starlette(
        routes=[*routes, Route("/health", _Health(publication).answer), Mount("/static", Static())],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=_following(publication),
    )
    # Otherwise a path with a surplus slash is answered with a redirect to whatever host the request names.
    app.router.redirect_slashes = False
    return AccessLog(Guard(app, access))


class _Health:
    """Whether there is something to show. It waits for no other request: a monitor gets an answer under any load."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication
        self._limiter = anyio.CapacityLimiter(1)

    async def answer(self, request: Request) -> Response:
        try:
            as_of = await anyio.to_thread.run_sync(self._as_of, limiter=self._limiter)
        except (NotPublished, TooSlow, duckdb.Error) as reason:
            failed = failure(request.scope["path"], reason)  # Logs the reason.
            return JSONResponse({"ok": False, "as_of": None}, failed.status_code)
        return JSONResponse({"ok": True, "as_of": as_of})

    def _as_of(self) -> str | None:
        with self._publication.reading(_HEALTH_SECONDS) as reader:
            as_of = read_as_of(reader)
            return f"{as_of:%Y-%m-%dT%H:%M:%SZ}" if as_of else None


def _following(publication: Publication) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        with publication:
            yield

    return lifespan
