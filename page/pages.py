"""The pages: the report, a log, the story of an event, and the rows behind the state of the data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from page.catalog import Component
from page.downloads import FORMATS, Downloads, content_disposition
from page.filters import Refused
from page.findings import ORDERS, findings, number_of_findings, page_of_findings
from page.growth import net_growth, shown_growth, shown_time_to_connect, time_to_connect
from page.periods import MOST_PERIODS, period_starts
from page.publication import Publication
from page.rendering import render_page
from page.report import NEWEST_FIRST, number_of_events, shown_components
from page.story import landed_record, read_story
from page.trust import read_trust
from page.view import View
from page.visit import Visit, read_visit

_SECONDS = 10.0
_ROWS = 100
_MOST_PAGES = 10**9
_LONGEST_EVENT_ID = 4000


@dataclass(frozen=True)
class Pages:
    """The pages of a publication. `published` is its path; the raw zone is read for records as they landed."""

    publication: Publication
    downloads: Downloads
    published: Path
    raw: Path

    def routes(self) -> list[Route]:
        """The addresses of the pages."""
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
        # All that a report depends on, beside the publication. Fifty people who look at the same one at once would wait
        # for 1.8 s if each had it made.
        name = f"{view.filters} {view.default_workspace} {view.today} {is_stale}"
        return _detour(visit) or HTMLResponse(
            view.reader.recent(name, lambda: render_page("report.html", visit, **_report(view)))
        )

    def report_as_file(self, request: Request, visit: Visit) -> Response:
        """The report page as one file that needs nothing else, to be mailed and printed."""
        visit.asked.finish()
        visit = replace(visit, view=replace(visit.view, is_file=True))
        filters = visit.view.filters
        name = f"contact-reports_{filters.workspace}_{filters.start}_{filters.end}"
        return HTMLResponse(
            render_page("report.html", visit, **_report(visit.view)),
            headers={"content-disposition": content_disposition(name, "html")},
        )

    def log(self, request: Request, visit: Visit) -> Response:
        """A log, a page of rows at a time."""
        view = visit.view
        component = _log_component(view, request.path_params["event_type"])
        event_type = component.event_types[0]
        number = visit.asked.number("page", 1, _MOST_PAGES)
        visit.asked.finish()
        [shown] = shown_components(view, [component])
        total = number_of_events(view, event_type) if shown.state == "ok" else 0
        pages = _Pagination(visit, number, total)
        call = view.call(component.function, order_by=NEWEST_FIRST, limit=_ROWS, offset=pages.offset)
        return pages.detour() or HTMLResponse(
            render_page(
                "log.html",
                visit,
                component=replace(shown, call=call),
                event_type=event_type,
                rows=view.rows(call) if total else [],
                pages=pages,
            )
        )

    def event(self, request: Request, visit: Visit) -> Response:
        """The story of an event."""
        view = visit.view
        event_type = _log_component(view, request.path_params["event_type"]).event_types[0]
        event_id = visit.asked.one("event", _LONGEST_EVENT_ID)
        visit.asked.finish()
        if event_id is None:
            raise Refused("event", "is missing: the id of an event")
        assert view.filters.workspace is not None
        story = read_story(view.reader, view.filters.workspace, event_type, event_id)
        if story is None:
            raise Refused("event", f"{event_id!r} is no {event_type} event that counts in this workspace")
        return _detour(visit, event=event_id) or HTMLResponse(
            render_page(
                "event.html",
                visit,
                story=story,
                event_type=event_type,
                landed=landed_record(self.published, self.raw, story.record),
            )
        )

    def findings(self, request: Request, visit: Visit) -> Response:
        """The rows of a view of schema `quality`."""
        name = request.path_params["view"]
        if name not in ORDERS:
            raise Refused("view", f"{name[:50]!r} is not known", ORDERS)
        number = visit.asked.number("page", 1, _MOST_PAGES)
        visit.asked.finish()
        filters, reader = visit.view.filters, visit.view.reader
        pages = _Pagination(visit, number, number_of_findings(name, filters).rows(reader)[0]["number"])
        query = page_of_findings(name, filters, _ROWS, pages.offset)
        return pages.detour() or HTMLResponse(
            render_page("findings.html", visit, name=name, rows=query.rows(reader), sql=query.text(), pages=pages)
        )

    def file(self, request: Request, visit: Visit) -> Response:
        """All rows of what the API does not have, as a file."""
        visit.asked.finish()
        name, kind, filters = request.path_params["name"], request.path_params["kind"], visit.view.filters
        queries = {"net-growth": net_growth, "time-to-connect": time_to_connect} | {
            view: partial(findings, view) for view in ORDERS
        }
        if name not in queries:
            raise Refused("file", f"{name[:50]!r} is not known", queries)
        if kind not in FORMATS:
            raise Refused("file", f"{kind[:50]!r} is no format", FORMATS)
        query = queries[name](filters)
        return self.downloads.file(query.sql, query.parameters, f"{name}_{filters.workspace}", kind)

    def _page(self, answer: Callable[[Request, Visit], Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            with self.publication.reading(_SECONDS) as reader:
                return answer(request, read_visit(request, reader))

        return endpoint


class _Pagination:
    """Which rows of how many a page shows. A number beyond the last page is the last one."""

    def __init__(self, visit: Visit, number: int, total: int) -> None:
        self._visit = visit
        self.total = total
        self.last_page = max(1, -(-total // _ROWS))
        self.number = min(number, self.last_page)
        self.offset = (self.number - 1) * _ROWS
        self.first = self.offset + 1
        self.last = min(self.offset + _ROWS, total)

    def address(self, number: int) -> str | None:
        """The address of another page; None where there is none."""
        if not 1 <= number <= self.last_page:
            return None
        return self._visit.address(page=None if number == 1 else number)

    def detour(self) -> Response | None:
        """A redirect to the short address of this page, if the request had another one."""
        return _detour(self._visit, page=None if self.number == 1 else self.number)


def _detour(visit: Visit, **own: str | int | None) -> Response | None:
    address = visit.detour(**own)
    return RedirectResponse(address, status_code=303) if address else None


def _log_component(view: View, event_type: str) -> Component:
    logs = {component.event_types[0]: component for component in view.catalog.components if component.kind == "log"}
    if event_type not in logs:
        raise Refused("log", f"{event_type[:50]!r} is not a log", logs)
    return logs[event_type]


def _report(view: View) -> dict[str, Any]:
    filters = view.filters
    periods = {
        frequency: len(period_starts(filters.start, filters.end, frequency))
        for frequency in view.catalog.keys("frequency")
    }
    if periods[filters.frequency] > MOST_PERIODS:
        raise Refused(
            "frequency",
            f"{filters.frequency!r} is too fine for this range: a page shows at most {MOST_PERIODS} periods",
            [frequency for frequency, number in periods.items() if number <= MOST_PERIODS],
        )
    components = shown_components(view, view.catalog.components)
    blocks = dict.fromkeys(component.block for component in components)
    return {
        "blocks": {block: [component for component in components if component.block == block] for block in blocks},
        "growth": shown_growth(view),
        "time_to_connect": shown_time_to_connect(view),
    }
