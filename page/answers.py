"""Answers that are no report: what is wrong with a request, on a page or as JSON."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus

import duckdb
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from page.filters import Refused
from page.publication import NotPublished, TooSlow
from page.templating import render

# What an answer of the API may be besides 200, for its OpenAPI document.
STATUSES = {
    404: "There is no such address.",
    405: "Every address is read by GET or HEAD.",
    414: "The address is too long.",
    422: "A parameter cannot be understood, or does not apply to this report.",
    503: "Nothing is published yet, or the page is busy. Try again later.",
    504: "The answer takes too long. Ask for fewer days.",
}
_TITLES = {422: "This address cannot be shown", 503: "Not now"}
_MESSAGES = {404: "There is no such page", 405: "Only GET and HEAD are possible: nothing is written here"}
_LATER = {"Retry-After": "10"}

_log = logging.getLogger(__name__)


def is_for_programs(path: str) -> bool:
    """Whether what is at this path is read by programs, which get JSON."""
    return path.startswith("/api/") or path in ("/api", "/openapi.json", "/health")


def error_answer(
    path: str,
    status: int,
    message: str,
    *,
    parameter: str | None = None,
    allowed: Iterable[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What is answered to a request for this path that cannot be answered otherwise."""
    values = None if allowed is None else list(allowed)
    if is_for_programs(path):
        error = {"parameter": parameter, "message": message, "allowed": values}
        return JSONResponse({"error": error}, status, headers)
    page = render(
        "error.html",
        {
            "title": _TITLES.get(status, HTTPStatus(status).phrase),
            "message": message,
            "parameter": parameter,
            "allowed": values,
        },
    )
    return HTMLResponse(page, status, headers)


def failure(path: str, reason: Exception) -> Response:
    """The answer for an exception that is no defect. Raises any other."""
    match reason:
        case HTTPException():
            message = _MESSAGES.get(reason.status_code) or reason.detail
            return error_answer(path, reason.status_code, message, headers=reason.headers)
        case Refused():
            return error_answer(path, 422, reason.message, parameter=reason.parameter, allowed=reason.allowed)
        case NotPublished() if isinstance(reason.__cause__, FileNotFoundError):
            return error_answer(
                path, 503, "Nothing is published yet. Call make run, then reload this page", headers=_LATER
            )
        case NotPublished():
            _log.warning("Nothing can be shown: %s", reason)
            message = "The published file cannot be read. The log of the report page says why"
            return error_answer(path, 503, message, headers=_LATER)
        case TooSlow():
            return error_answer(path, 504, "The answer takes too long. Ask for fewer days")
        case duckdb.CatalogException() | duckdb.BinderException():
            # After an upgrade a view or a column is missing until the first run has ended.
            _log.error("The published file is of another version than the report page", exc_info=reason)
            message = "The published file is of another version than this page. Call make run, then reload this page"
            return error_answer(path, 503, message, headers=_LATER)
        case duckdb.InvalidInputException():
            # Ids, dates and texts are checked before. A report that refuses one says which, and what is allowed.
            return error_answer(path, 422, str(reason).removeprefix("Invalid Input Error: "))
        case duckdb.OutOfMemoryException() | duckdb.IOException():
            _log.warning("An answer could not be made: %s", reason)
            message = "There is not enough memory or disk space for this answer. Try again later, or ask for fewer days"
            return error_answer(path, 503, message, headers=_LATER)
    raise reason


async def _failed(request: Request, error: Exception) -> Response:
    return failure(request.scope["path"], error)


async def _defect(request: Request, error: Exception) -> Response:
    # Uvicorn logs the error, which Starlette passes on to it.
    return error_answer(request.scope["path"], 500, "Something went wrong here. The log of the report page says what")


# For Starlette, which looks for the class of an exception, and for those that it inherits from.
EXCEPTION_HANDLERS = {
    **dict.fromkeys((HTTPException, Refused, NotPublished, TooSlow, duckdb.Error), _failed),
    Exception: _defect,
}
