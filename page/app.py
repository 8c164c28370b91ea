"""The report page and the reports API as one ASGI application: routes, files, errors, access."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC
from http import HTTPStatus
from pathlib import Path

import anyio
import anyio.to_thread
import duckdb
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from orchestration.lib.settings import Settings
from page import api
from page.access import Access, AccessLog, Guard
from page.answers import error_answer
from page.assets import Static
from page.downloads import Downloads
from page.filters import Refused
from page.pages import Pages
from page.publication import NotPublished, Publication, Reader, TooSlow

# Requests that read the published file at the same time. All others wait.
_THREADS = 8
_HEALTH_SECONDS = 5.0

_NOT_YET = "Nothing is published yet. Call make run, then reload this page"
_CANNOT_BE_READ = "The published file cannot be read. The log of the report page says why"
_TOO_SLOW = "This took too long. Choose fewer days, or a workspace"
_OTHER_VERSION = "The published file is of another version than this page. Call make run, then reload this page"
_LATER = {"Retry-After": "10"}
_MESSAGES = {
    404: "There is no such page",
    405: "Only GET and HEAD are possible: nothing is written here",
}

_log = logging.getLogger(__name__)


def create_app(settings: Settings, publication: Publication, exports: Path, access: Access) -> ASGIApp:
    """The report page and the API of a publication. `exports` is the folder that files for download are written to."""
    downloads = Downloads(publication, exports)
    pages = Pages(publication, downloads, settings.published, settings.raw)
    return application([*pages.routes(), *api.routes(publication, downloads)], publication, access)


def application(routes: Sequence[BaseRoute], publication: Publication, access: Access) -> ASGIApp:
    """An application of these routes, with everything around them."""
    app = Starlette(
        routes=[*routes, Route("/health", _Health(publication).answer), Mount("/static", Static())],
        exception_handlers={
            HTTPException: _http_error,
            NotPublished: _not_published,
            TooSlow: _too_slow,
            Refused: _refused,
            duckdb.CatalogException: _other_version,
            duckdb.BinderException: _other_version,
            Exception: _defect,
        },
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
        except (NotPublished, TooSlow) as error:
            _note(error)
            return JSONResponse({"ok": False, "as_of": None}, 503)
        return JSONResponse({"ok": True, "as_of": as_of})

    def _as_of(self) -> str | None:
        with self._publication.reading(_HEALTH_SECONDS) as reader:
            return reader.once("health", _read_as_of)


def _read_as_of(reader: Reader) -> str | None:
    as_of = reader.rows("select max(last_loaded_at) as as_of from reports.data_status")[0]["as_of"]
    return f"{as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if as_of else None


def _following(publication: Publication) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        with publication:
            yield

    return lifespan


def _is_missing(error: Exception) -> bool:
    return isinstance(error.__cause__, FileNotFoundError)


def _note(error: Exception) -> None:
    if isinstance(error, NotPublished) and not _is_missing(error):
        _log.warning("Nothing can be shown: %s", error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = _MESSAGES.get(error.status_code) or error.detail
    return error_answer(request.scope["path"], error.status_code, message, headers=error.headers)


async def _not_published(request: Request, error: Exception) -> Response:
    _note(error)
    message = _NOT_YET if _is_missing(error) else _CANNOT_BE_READ
    return error_answer(request.scope["path"], HTTPStatus.SERVICE_UNAVAILABLE, message, headers=_LATER)


async def _too_slow(request: Request, error: Exception) -> Response:
    return error_answer(request.scope["path"], HTTPStatus.SERVICE_UNAVAILABLE, _TOO_SLOW, headers=_LATER)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error_answer(request.scope["path"], 422, error.message, parameter=error.parameter, allowed=error.allowed)


async def _other_version(request: Request, error: Exception) -> Response:
    """The answer where a view or a column is missing: after an upgrade, until the first run has ended."""
    _log.error("The published file is of another version than the report page", exc_info=error)
    return error_answer(request.scope["path"], HTTPStatus.SERVICE_UNAVAILABLE, _OTHER_VERSION, headers=_LATER)


async def _defect(request: Request, error: Exception) -> Response:
    # Uvicorn logs the error, which Starlette passes on to it.
    return error_answer(request.scope["path"], 500, "Something went wrong here. The log of the report page says what")
