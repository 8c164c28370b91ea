"""The pages: the report, a log, an event, and the rows of a data quality view."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from orchestration.lib.export.files import FORMATS
from page.catalog import Component
from page.downloads import Downloads, content_disposition
from page.filters import Refused
from page.findings import FINDINGS, findings, number_of_findings, page_of_findings
from page.growth import shown_growth, shown_time_to_connect
from page.metrics import number_of_events
from page.periods import MOST_PERIODS, period_starts
from page.publication import Publication
from page.refusals import refused_page
from page.rendering import render_page
from page.report import NEWEST_FIRST, shown_components, shown_log
from page.story import landed_record, read_story
from page.trust import read_trust
from page.view import View
from page.visit import Visit, pairs_of, read_visit

_SECONDS = 10.0
_ROWS = 100
_MOST_PAGES = 10**9
_LONGEST_EVENT_ID = 4000


@dataclass(frozen=True)
class Pages:
    """The pages of a publication. `published` is its path. The page of an event also reads the raw zone."""

    publication: Publication
    downloads: Downloads
    published: Path
    raw: Path
    seconds: float = _SECONDS  # for a whole page: reading and rendering

    def routes(self) -> list[Route]:
        """The routes of the pages."""
        return [
            Route("/", self._page(self.report)),
            Route("/report.html", self._page(self.report_as_file)),
            Route("/logs/{event_type}", self._page(self.log)),
            Route("/events/{event_type}", self._page(self.event)),
            Route("/quality/{view}", self._page(self.findings)),
            Route("/files/{name}.{kind}", self._page(self.file)),
        ]

    def report(self, request: Request, visit: Visit) -> Response:
        """The report page."""
        visit.asked.finish()
        view = visit.view
        assert view.filters.workspace is not None
        is_stale = read_trust(view.reader, view.filters.workspace).is_stale(datetime.now(UTC))
        # The cache key: everything that a report depends on, besides the publication. Without the cache, fifty people
        # who open the same report at once wait for 1.8 s.
        name = f"{view.filters} {view.default_workspace} {view.today} {is_stale}"
        return _detour(visit) or HTMLResponse(
            view.reader.recent(name, lambda: render_page("report.html", visit, **_report(view)))
        )

    def report_as_file(self, request: Request, visit: Visit) -> Response:
        """The report page as one self-contained HTML file."""
        visit.asked.finish()
        visit = replace(visit, view=replace(visit.view, is_file=True))
        filters = visit.view.filters
        name = f"contact-reports_{filters.workspace}_{filters.start}_{filters.end}"
        return HTMLResponse(
            render_page("report.html", visit, **_report(visit.view)),
            headers={"content-disposition": content_disposition(name, "html")},
        )

    def log(self, request: Request, visit: Visit) -> Response:
        """A log, paginated."""
        view = visit.view
        component = _log_component(view, request.path_params["event_type"])
        event_type = component.event_types[0]
        number = visit.asked.number("page", 1, _MOST_PAGES)
        visit.asked.finish()
        total = number_of_events(view, event_type)
        pages = _Pagination(visit, number, total)
        visit = pages.visit
        call = view.call(component.function, order_by=NEWEST_FIRST, limit=_ROWS, offset=pages.offset)
        return pages.detour() or HTMLResponse(
            render_page(
                "log.html",
                visit,
                component=shown_log(view, component, call),
                event_type=event_type,
                rows=view.rows(call) if total else [],
                pages=pages,
            )
        )

    def event(self, request: Request, visit: Visit) -> Response:
        """An event: its record, the records it superseded, and the events of its contacts."""
        view = visit.view
        event_type = _log_component(view, request.path_params["event_type"]).event_types[0]
        event_id = visit.asked.one("event", _LONGEST_EVENT_ID)
        visit.asked.finish()
        if event_id is None:
            raise Refused("event", "no_event")
        assert view.filters.workspace is not None
        story = read_story(view.reader, view.filters.workspace, event_type, event_id)
        if story is None:
            raise Refused("event", "event", value=event_id, event_type=event_type)
        visit = visit.at(event=event_id)
        return _detour(visit) or HTMLResponse(
            render_page(
                "event.html",
                visit,
                story=story,
                event_type=event_type,
                landed=landed_record(view.reader, self.published, self.raw, story.record),
            )
        )

    def findings(self, request: Request, visit: Visit) -> Response:
        """The rows of a data quality view, paginated."""
        name = request.path_params["view"]
        if name not in FINDINGS:
            raise Refused("view", "unknown_value", FINDINGS, value=name[:50])
        number = visit.asked.number("page", 1, _MOST_PAGES)
        visit.asked.finish()
        filters, reader = visit.view.filters, visit.view.reader
        pages = _Pagination(visit, number, number_of_findings(name, filters).rows(reader)[0]["number"])
        query = page_of_findings(name, filters, _ROWS, pages.offset)
        return pages.detour() or HTMLResponse(
            render_page("findings.html", pages.visit, name=name, rows=query.rows(reader), sql=query.text(), pages=pages)
        )

    def file(self, request: Request, visit: Visit) -> Response:
        """A file with all rows of a data quality view."""
        visit.asked.finish()
        name, kind, filters = request.path_params["name"], request.path_params["kind"], visit.view.filters
        if name not in FINDINGS:
            raise Refused("file", "unknown_value", FINDINGS, value=name[:50])
        if kind not in FORMATS:
            raise Refused("file", "format", FORMATS, value=kind[:50])
        query = findings(name, filters)
        return self.downloads.file(query.sql, query.parameters, f"{name}_{filters.workspace}", kind)

    def _page(self, answer: Callable[[Request, Visit], Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            with self.publication.reading(self.seconds) as reader:
                try:
                    return answer(request, read_visit(request.url.path, pairs_of(request), reader))
                except Refused as refused:
                    return refused_page(request, reader, refused)

        return endpoint


class _Pagination:
    """The range of rows on a page. A page number that is too large means the last page."""

    def __init__(self, visit: Visit, number: int, total: int) -> None:
        self.total = total
        self.last_page = max(1, -(-total // _ROWS))
        self.number = min(number, self.last_page)
        self.offset = (self.number - 1) * _ROWS
        self.first = self.offset + 1
        self.last = min(self.offset + _ROWS, total)
        self.visit = visit.at(page=None if self.number == 1 else self.number)

    def address(self, number: int) -> str | None:
        """The address of another page; None if there is no such page."""
        if not 1 <= number <= self.last_page:
            return None
        return self.visit.address(page=None if number == 1 else number)

    def detour(self) -> Response | None:
        """A redirect to the shortest address of this page, if the request used another address."""
        return _detour(self.visit)


def _detour(visit: Visit) -> Response | None:
    address = visit.detour()
    return RedirectResponse(address, status_code=303) if address else None


def _log_component(view: View, event_type: str) -> Component:
    logs = {component.event_types[0]: component for component in view.catalog.components if component.kind == "log"}
    if event_type not in logs:
        raise Refused("log", "log", logs, value=event_type[:50])
    return logs[event_type]


def _report(view: View) -> dict[str, Any]:
    filters = view.filters
    periods = {
        frequency: len(period_starts(filters.start, filters.end, frequency))
        for frequency in view.catalog.keys("frequency")
    }
    if periods[filters.frequency] > MOST_PERIODS:
        possible = [frequency for frequency, number in periods.items() if number <= MOST_PERIODS]
        raise Refused("frequency", "periods", possible, value=filters.frequency, most=MOST_PERIODS)
    components = shown_components(view, view.catalog.components)
    blocks = dict.fromkeys(component.block for component in components)
    return {
        "blocks": {block: [component for component in components if component.block == block] for block in blocks},
        "growth": shown_growth(view),
        "time_to_connect": shown_time_to_connect(view),
    }
