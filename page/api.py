"""The reports API (contract 7): reports, logs and lists, as JSON and as files."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from orchestration.lib.export.files import FORMATS
from page.api_docs import described_endpoints
from page.calls import Call
from page.catalog import Catalog, catalog
from page.downloads import Downloads
from page.endpoints import (
    CHARACTERS_OF_AN_ID,
    DEFAULT_LIMIT,
    ENDPOINTS,
    LARGEST_LIMIT,
    LOG_KEY,
    Endpoint,
    parameters_of,
)
from page.filters import FIRST_DAY, LAST_DAY, Asked, Filters, Refused, read_filters, refuse_inapplicable
from page.openapi import columns_of, document
from page.plain import json_response, plain
from page.publication import Publication, Reader, Row
from page.templating import render
from page.trust import read_as_of

# A cursor has the workspace id and the beginning of the event id. JSON may need six bytes for each of their characters.
_LONGEST_CURSOR = 8 << 10

_SECONDS = 30.0


def routes(publication: Publication, downloads: Downloads, *, seconds: float = _SECONDS) -> list[BaseRoute]:
    """The routes of the API and of its documentation. `seconds` is the timeout of a JSON response."""
    made: list[BaseRoute] = []

    def add(path: str, handler: Callable[[Request, Reader], Response]) -> None:
        made.append(Route(path, _reading(publication, seconds, handler), methods=["GET"]))

    for endpoint in ENDPOINTS:
        add(endpoint.address, _rows(endpoint))
        for kind in FORMATS:
            add(f"{endpoint.address}.{kind}", _file(endpoint, kind, downloads))
    add("/openapi.json", _openapi)
    add("/docs", _docs)
    return made


def _reading(
    publication: Publication, seconds: float, handler: Callable[[Request, Reader], Response]
) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        with publication.reading(seconds) as reader:
            return handler(request, reader)

    return handle


@dataclass(frozen=True)
class _Understood:
    """A validated request: the query, its values, and the parameters with defaults filled in."""

    sql: str
    values: Mapping[str, Any]
    described: Mapping[str, Any]
    filters: Filters | None = None
    limit: int | None = None


def _rows(endpoint: Endpoint) -> Callable[[Request, Reader], Response]:
    def handle(request: Request, reader: Reader) -> Response:
        understood = _understood(endpoint, Asked(request.query_params.multi_items()), reader, is_page=endpoint.is_log)
        rows = reader.rows(understood.sql, understood.values)
        limit, after = understood.limit, None
        if limit is not None and len(rows) > limit:
            rows = rows[:limit]
            after = _cursor(endpoint, rows[-1], understood.filters)
        answer = {
            "data": rows,
            "parameters": understood.described,
            "as_of": read_as_of(reader),
            "next": after,
        }
        return json_response(answer)

    return handle


def _file(endpoint: Endpoint, kind: str, downloads: Downloads) -> Callable[[Request, Reader], Response]:
    def handle(request: Request, reader: Reader) -> Response:
        understood = _understood(endpoint, Asked(request.query_params.multi_items()), reader)
        parts = [endpoint.name, understood.described.get("workspace")]
        if understood.filters:
            parts += [understood.filters.start.isoformat(), understood.filters.end.isoformat()]
        name = "_".join(part for part in parts if part)
        return downloads.file(understood.sql, understood.values, name, kind)

    return handle


def _understood(endpoint: Endpoint, asked: Asked, reader: Reader, *, is_page: bool = False) -> _Understood:
    known = catalog(reader)
    arguments = endpoint.arguments(known)
    names = [parameter.name for parameter in parameters_of(endpoint, known, columns_of(reader, endpoint))]
    if arguments is None:
        return _view(endpoint, asked, known, names)
    filters = read_filters(asked, known, reader)
    limit = asked.number("limit", DEFAULT_LIMIT, LARGEST_LIMIT) if is_page else None
    place = _place(endpoint, asked.one("after", _LONGEST_CURSOR)) if is_page else None
    asked.finish()
    refuse_inapplicable(filters, names, known.reasons)
    if place and filters.date_range:
        # A preset moves on at midnight. The cursor keeps its days, so that all pages are of the same days.
        filters = replace(filters, start=place.start, end=place.end)
    call = Call(
        endpoint.relation,
        filters.arguments(arguments),
        order_by=endpoint.order_by,
        limit=limit and limit + 1,
        where=_AFTER if place else "",
        values=place.key if place else None,
    )
    described = {name: value for name, value in filters.described().items() if name in names}
    return _Understood(*call.bound(), {**described, **({"limit": limit} if limit else {})}, filters, limit)


def _view(endpoint: Endpoint, asked: Asked, known: Catalog, names: Sequence[str]) -> _Understood:
    described = {name: asked.one_of(name, known.workspaces) for name in names}
    asked.finish()
    workspace = described.get("workspace")
    where = "where workspace_id = $workspace " if workspace else ""
    return _Understood(
        f"from {endpoint.relation} {where}order by {endpoint.order_by}",
        {"workspace": workspace} if workspace else {},
        described,
    )


@dataclass(frozen=True)
class _Place:
    """A decoded cursor: the last row of the previous page, and the days of the log."""

    key: Mapping[str, Any]  # by LOG_KEY
    start: date
    end: date


_AFTER = (
    "(occurred_at < $after_occurred_at or (occurred_at = $after_occurred_at and "
    f"({', '.join(list(LOG_KEY.values())[1:])}) > ({', '.join(f'$after_{name}' for name in list(LOG_KEY)[1:])})))"
)


def _cursor(endpoint: Endpoint, row: Row, filters: Filters | None) -> str:
    assert filters
    event_id = row["event_id"]
    parts = [
        endpoint.path,
        filters.start.isoformat(),
        filters.end.isoformat(),
        plain(row["occurred_at"]),
        row["workspace_id"],
        event_id[:CHARACTERS_OF_AN_ID],
        hashlib.md5(event_id.encode(), usedforsecurity=False).hexdigest()
        if len(event_id) > CHARACTERS_OF_AN_ID
        else "",
    ]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(endpoint: Endpoint, cursor: str | None) -> _Place | None:
    if cursor is None:
        return None
    try:
        encoded = cursor.encode("ascii")
        parts = json.loads(base64.b64decode(encoded + b"=" * (-len(encoded) % 4), b"-_", validate=True))
        path, start, end, occurred_at, *texts = parts
        workspace_id, event, hash_ = texts
        # JSON allows unpaired surrogates. They cannot be encoded as UTF-8.
        "".join(texts).encode()
        days = date.fromisoformat(start), date.fromisoformat(end)
        instant = datetime.fromisoformat(occurred_at)
        if not all(FIRST_DAY <= day <= LAST_DAY for day in days) or days[0] > days[1] or instant.tzinfo is None:
            raise ValueError
        if not FIRST_DAY.year - 1 <= instant.year <= LAST_DAY.year + 1:
            raise ValueError
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise Refused("after", "cursor") from None
    if path != endpoint.path:
        raise Refused("after", "cursor_of_another_log")
    key = {
        "after_occurred_at": instant,
        "after_workspace_id": workspace_id,
        "after_event": event,
        "after_hash": hash_,
    }
    return _Place(key, *days)


def _openapi(request: Request, reader: Reader) -> Response:
    return json_response(reader.once_per_publication("openapi", document))


def _docs(request: Request, reader: Reader) -> Response:
    return HTMLResponse(render("api_docs.html", reader.once_per_publication("api_docs", described_endpoints)))
