"""Answers that are no report: what is wrong with a request, on a page or as JSON."""

from collections.abc import Iterable, Mapping
from html import escape
from http import HTTPStatus

from starlette.responses import HTMLResponse, JSONResponse, Response

from page.assets import static_address

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
<main class="error">
<h1>{title}</h1>
<p>{message}</p>
</main>
</html>
"""


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
    if is_for_programs(path):
        error = {"parameter": parameter, "message": message, "allowed": None if allowed is None else list(allowed)}
        return JSONResponse({"error": error}, status, headers)
    if allowed is not None:
        message = f"{message}. Possible: {', '.join(allowed)}"
    if parameter is not None:
        message = f"{parameter} {message}"
    page = _PAGE.format(
        title=escape(HTTPStatus(status).phrase),
        message=escape(message),
        style=escape(static_address("page.css")),
    )
    return HTMLResponse(page, status, headers)
