"""Answers that are no report: what is wrong with a request, on a page or as JSON."""

import logging
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlencode

import duckdb
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from page.catalog import ENGLISH, FRENCH
from page.filters import THEMES, Refused
from page.publication import NotPublished, TooSlow
from page.templating import render
from page.texts import Sentence, Texts

# What an answer of the API may be besides 200, for its OpenAPI document.
STATUSES = {
    401: "The password is missing or wrong.",
    404: "There is no such address.",
    405: "Every address is read by GET or HEAD.",
    414: "The address is too long.",
    422: "A parameter cannot be understood, or does not apply to this report.",
    503: "Nothing is published yet, or the page is busy. Try again later.",
    504: "The answer takes too long. Ask for fewer days, or for fewer values of a filter.",
}
# The statuses that have a title of their own.
_TITLES = (404, 422, 503, 504)
# What an error page keeps of the address that led to it, so that nobody has to choose it again.
_KEPT = ("workspace", "lang", "theme")
_LATER = {"Retry-After": "10"}

_log = logging.getLogger(__name__)


def is_for_programs(path: str) -> bool:
    """Whether what is at this path is read by programs, which get JSON."""
    return path.startswith("/api/") or path in ("/api", "/openapi.json", "/health")


def error_answer(
    address: str,
    status: int,
    message: Sentence,
    *,
    parameter: str | None = None,
    allowed: Iterable[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that something is wrong. `address` is the path of the request, with the query where it is known."""
    path, _, query = address.partition("?")
    values = None if allowed is None else list(allowed)
    if is_for_programs(path):
        error = {"parameter": parameter, "message": message.text(ENGLISH), "allowed": values}
        return JSONResponse({"error": error}, status, headers)
    asked = {name: value for name, value in parse_qsl(query, errors="replace") if name in _KEPT and name != parameter}
    language = FRENCH if asked.get("lang") == FRENCH else ENGLISH
    text = Texts(language)
    page = render(
        "error.html",
        {
            "text": text,
            "language": language,
            "theme": asked.get("theme") if asked.get("theme") in THEMES else None,
            "home": "/?" + urlencode(asked) if asked else "/",
            "title": text(f"error_{status if status in _TITLES else 'other'}"),
            "message": message.text(language),
            "parameter": parameter,
            "allowed": values,
        },
    )
    return HTMLResponse(page, status, headers)


def failure(address: str, reason: Exception) -> Response:
    """The answer for an exception that is no defect. Raises any other. `address` is as in `error_answer`."""
    match reason:
        case HTTPException():
            return error_answer(address, reason.status_code, _of_http(reason), headers=reason.headers)
        case Refused():
            return error_answer(address, 422, reason.message, parameter=reason.parameter, allowed=reason.allowed)
        case NotPublished() if isinstance(reason.__cause__, FileNotFoundError):
            return error_answer(address, 503, Sentence("failed_unpublished"), headers=_LATER)
        case NotPublished():
            _log.warning("Nothing can be shown: %s", reason)
            return error_answer(address, 503, Sentence("failed_unreadable"), headers=_LATER)
        case TooSlow():
            return error_answer(address, 504, Sentence("failed_slow"))
        case duckdb.CatalogException() | duckdb.BinderException():
            # After an upgrade a view or a column is missing until the first run has ended.
            _log.error("The published file is of another version than the report page", exc_info=reason)
            return error_answer(address, 503, Sentence("failed_version"), headers=_LATER)
        case duckdb.InvalidInputException():
            # Ids, dates and texts are checked before. A report that refuses one says which, and what is allowed.
            words = str(reason).removeprefix("Invalid Input Error: ")
            return error_answer(address, 422, Sentence("failed_plain", {"words": words}))
        case duckdb.OutOfMemoryException() | duckdb.IOException():
            _log.warning("An answer could not be made: %s", reason)
            return error_answer(address, 503, Sentence("failed_memory"), headers=_LATER)
    raise reason


def _of_http(reason: HTTPException) -> Sentence:
    is_known = reason.status_code in _TITLES
    return Sentence(f"error_{reason.status_code}") if is_known else Sentence("failed_plain", {"words": reason.detail})


def address_of_request(scope: Scope) -> str:
    """The path and the query of a request, as the answers here take it."""
    return f"{scope['path']}?{scope['query_string'].decode('latin-1')}"


async def _failed(request: Request, error: Exception) -> Response:
    return failure(address_of_request(request.scope), error)


async def _defect(request: Request, error: Exception) -> Response:
    # Uvicorn logs the error, which Starlette passes on to it.
    return error_answer(address_of_request(request.scope), 500, Sentence("failed_defect"))


# For Starlette, which looks for the class of an exception, and for those that it inherits from.
EXCEPTION_HANDLERS = {
    **dict.fromkeys((HTTPException, Refused, NotPublished, TooSlow, duckdb.Error), _failed),
    Exception: _defect,
}
