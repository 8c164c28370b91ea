"""How an error is answered by the reports API: as JSON, in one form for all of them."""

import functools
import json
import logging
from collections.abc import Callable, Mapping, Sequence

import duckdb
from starlette.requests import Request
from starlette.responses import Response

from page.filters import Refused
from page.publication import NotPublished, TooSlow

Handler = Callable[[Request], Response]

_log = logging.getLogger(__name__)

# What an answer may be besides 200, for the OpenAPI document.
STATUSES = {
    404: "There is no such address.",
    405: "The method is not allowed: every address is read by GET or HEAD.",
    414: "The query string is too long.",
    422: "A parameter cannot be understood, or does not apply to this report.",
    503: "Nothing is published yet, or the page is busy. Try again later.",
    504: "The answer takes too long. Ask for fewer days.",
}


def error(
    status: int,
    message: str,
    parameter: str | None = None,
    allowed: Sequence[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that something is wrong."""
    content = {"error": {"parameter": parameter, "message": message, "allowed": allowed}}
    # A name of a parameter may be any text. As ASCII, all of it can be written.
    return Response(json.dumps(content), status, {**NOT_STORED, **(headers or {})}, media_type="application/json")


# Answers have names of contacts, and change with each publication.
NOT_STORED = {"cache-control": "no-store"}


def failure(reason: Exception) -> Response:
    """The answer for an exception that is no defect. Raises any other."""
    match reason:
        case Refused():
            return error(422, reason.message, reason.parameter, reason.allowed)
        case TooSlow():
            return error(504, STATUSES[504])
        case NotPublished():
            _log.warning("%s", reason)
            return error(503, "Nothing is published yet. Try again after the next run", headers={"retry-after": "60"})
        # Ids, dates and texts are checked before. A report that refuses one says which, and what is allowed.
        case duckdb.InvalidInputException():
            return error(422, str(reason).removeprefix("Invalid Input Error: "))
        case duckdb.OutOfMemoryException() | duckdb.IOException() | OSError():
            _log.warning("%s", reason)
            message = "There is not enough memory or disk space for this answer. Try again later, or ask for fewer days"
            return error(503, message, headers={"retry-after": "60"})
    raise reason


def answered(handler: Handler) -> Handler:
    """The handler, with its errors answered."""

    @functools.wraps(handler)
    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except Exception as reason:
            return failure(reason)

    return answer
