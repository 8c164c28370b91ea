"""Net growth and time to connect. respond.io's page does not have these."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from page.calls import Call
from page.charts import BarChart, Period, Series, bar_chart
from page.components import Table
from page.filters import Filters
from page.graphs import LABEL_STEPS, period_of
from page.metrics import data_since
from page.periods import period_end
from page.publication import Row
from page.view import View

_NET_GROWTH = "reports.contacts_net_growth_between"
_TIME_TO_CONNECT = "reports.contacts_time_to_connect_between"


@dataclass(frozen=True)
class Growth:
    """Net growth by period: contacts added minus contacts gone. There is no number before the data begins."""

    call: Call
    filters: Filters  # those of the call
    is_applicable: bool
    net_growth: str | None = None
    running_total: str | None = None
    chart: BarChart | None = None
    table: Table | None = None


@dataclass(frozen=True)
class Wait:
    """The time from added to connected, for the contacts of one month and source."""

    month: str
    source: str
    added: str
    connected: str
    percent: str
    share: float
    median: str


@dataclass(frozen=True)
class TimeToConnect:
    """The time to connect in the months that overlap the range."""

    call: Call
    filters: Filters  # those of the call
    is_applicable: bool
    waits: Sequence[Wait] = ()


def shown_growth(view: View) -> Growth:
    """Net growth in the range. It covers the whole workspace: only the dates apply, no other filter."""
    filters, call = view.filters, view.call(_NET_GROWTH, order_by="period_start")
    if filters.given:
        return Growth(call, filters, is_applicable=False)
    rows = view.rows(call)
    since = data_since(view)
    if since is None or since > filters.end:
        return Growth(call, filters, is_applicable=True)
    has_bars = any(row["net_growth"] for row in rows)
    periods = [period_of(view, row["period_start"]) for row in rows]
    title = view.text("net_growth")
    return Growth(
        call,
        filters,
        is_applicable=True,
        net_growth=view.formats.signed(sum(row["net_growth"] for row in rows)),
        running_total=view.formats.number(rows[-1]["running_total"]),
        chart=_chart(view, title, periods, rows) if has_bars else None,
        table=Table(
            columns=[
                view.label("frequency", filters.frequency),
                view.label("metric", "contacts_added"),
                view.text("contacts_gone"),
                title,
                view.text("running_total"),
            ],
            rows=[
                [
                    period.title,
                    view.formats.number(row["contacts_added"]),
                    view.formats.number(row["contacts_gone"]),
                    view.formats.signed(row["net_growth"]),
                    view.formats.number(row["running_total"]),
                ]
                for period, row in zip(periods, rows, strict=True)
            ],
        ),
    )


def shown_time_to_connect(view: View) -> TimeToConnect:
    """The time to connect, by source and the month in which the contacts were added."""
    first, last = view.filters.start.replace(day=1), period_end(view.filters.end, "month", date.max)
    filters = replace(view.filters, date_range=None, start=first, end=last)
    call = view.call_under(filters, _TIME_TO_CONNECT, order_by="month_start desc, contacts_added desc, source")
    if view.filters.given:
        return TimeToConnect(call, filters, is_applicable=False)
    # Cached for each publication. The query reads every contact of the months (60 ms for two months of ten million
    # events). All ranges in the same months have the same result.
    rows = view.reader.once_per_publication(call.text(), call.rows)
    return TimeToConnect(call, filters, is_applicable=True, waits=[_wait(view, row) for row in rows])


def _chart(view: View, title: str, periods: Sequence[Period], rows: Sequence[Row]) -> BarChart:
    series = Series(
        label=title,
        color=1,
        values=[row["net_growth"] for row in rows],
        hrefs=[None] * len(rows),
        total=view.formats.signed(sum(row["net_growth"] for row in rows)),
    )
    return bar_chart(
        periods,
        [series],
        stacked=False,
        title=title,
        description=f"{title}, {view.formats.days(view.filters.start, view.filters.end)}",
        format_number=view.formats.number,
        id="net_growth",
        label_steps=LABEL_STEPS[view.filters.frequency],
        colon=view.formats.colon,
    )


def _wait(view: View, row: Row) -> Wait:
    median = row["median_hours_to_connect"]
    return Wait(
        month=view.formats.month(row["month_start"]),
        source=view.label("source", row["source"]),
        added=view.formats.number(row["contacts_added"]),
        connected=view.formats.number(row["contacts_connected"]),
        percent=view.formats.percent(row["percentage"]),
        share=row["percentage"],
        median="–" if median is None else view.formats.hours(median),
    )
