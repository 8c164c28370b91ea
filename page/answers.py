"""Answers that are no report: what is wrong with a request, on a page or as JSON."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse, JSONResponse, Response

from page.assets import static_address

_TEMPLATE = Environment(loader=PackageLoader("page"), autoescape=True).get_template("error.html")
_TITLES = {
    HTTPStatus.UNPROCESSABLE_ENTITY: "This address cannot be shown",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now",
}


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
    page = _TEMPLATE.render(
        title=_TITLES.get(HTTPStatus(status), HTTPStatus(status).phrase),
        message=message,
        parameter=parameter,
        allowed=None if allowed is None else list(allowed),
        style=static_address("page.css"),
    )
    return HTMLResponse(page, status, headers)
