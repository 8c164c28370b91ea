"""Net growth and time to connect: what the report has beyond the page of respond.io."""

from collections.abc import Sequence
from dataclasses import dataclass

from page.calls import Query
from page.charts import BarChart, Period, Series, bar_chart
from page.filters import Filters
from page.periods import period_starts
from page.publication import Row
from page.report import LABEL_STEPS, Table, period_of
from page.view import View

_NET_GROWTH = """
select
    {period} as period_start,
    cast(sum(contacts_added) as bigint) as contacts_added,
    cast(sum(contacts_added - net_growth) as bigint) as contacts_gone,
    cast(sum(net_growth) as bigint) as net_growth,
    max_by(running_total, report_date) as running_total
from reports.contacts_net_growth
where workspace_id = $workspace_id and report_date between $start_date and $end_date
group by period_start
order by period_start"""

_PERIODS = {
    "day": "report_date",
    "week": "cast(date_trunc('week', report_date) as date)",
    "month": "cast(date_trunc('month', report_date) as date)",
    "total": "cast($start_date as date)",
}

_TIME_TO_CONNECT = """
select month_start, source, contacts_added, contacts_connected, percentage, median_hours_to_connect
from reports.contacts_time_to_connect
where workspace_id = $workspace_id and month_start between $first_month and $last_month
order by month_start desc, contacts_added desc, source"""


@dataclass(frozen=True)
class Growth:
    """Contacts added less contacts gone, by period. There is no chart where a filter is set that it cannot have."""

    query: Query
    is_applicable: bool
    net_growth: str = ""
    running_total: str | None = None
    chart: BarChart | None = None
    table: Table | None = None


@dataclass(frozen=True)
class Wait:
    """How long the contacts of a month and source waited for their first message."""

    month: str
    source: str
    added: str
    connected: str
    percent: str
    share: float
    median: str


@dataclass(frozen=True)
class TimeToConnect:
    """The waits of the months that the range touches."""

    query: Query
    is_applicable: bool
    waits: Sequence[Wait] = ()


def net_growth(filters: Filters) -> Query:
    """Net growth by period, and the running total."""
    return Query(
        _NET_GROWTH.format(period=_PERIODS[filters.frequency]),
        {"workspace_id": filters.workspace, "start_date": filters.start, "end_date": filters.end},
    )


def time_to_connect(filters: Filters) -> Query:
    """The waits of the months that the range touches, by source."""
    return Query(
        _TIME_TO_CONNECT,
        {
            "workspace_id": filters.workspace,
            "first_month": filters.start.replace(day=1),
            "last_month": filters.end.replace(day=1),
        },
    )


def shown_growth(view: View) -> Growth:
    """Net growth under the dates of the request. It is of whole workspaces, so no other filter applies."""
    filters, query = view.filters, net_growth(view.filters)
    if filters.given:
        return Growth(query, is_applicable=False)
    rows = _of_all_periods(view, view.reader.once(query.text(), query.rows))
    if not rows:
        return Growth(query, is_applicable=True)
    periods = [period_of(view, row["period_start"]) for row in rows]
    title = view.text("net_growth")
    return Growth(
        query,
        is_applicable=True,
        net_growth=view.formats.signed(sum(row["net_growth"] for row in rows)),
        running_total=view.formats.number(rows[-1]["running_total"]),
        chart=_chart(view, title, periods, rows),
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
    """The time to connect, by the month in which contacts were added, and source."""
    query = time_to_connect(view.filters)
    if view.filters.given:
        return TimeToConnect(query, is_applicable=False)
    # It reads every contact of the months, and is the same for all ranges in them: read once, 60 ms for two months of
    # ten million events.
    rows = view.reader.once(query.text(), query.rows)
    return TimeToConnect(query, is_applicable=True, waits=[_wait(view, row) for row in rows])


def _of_all_periods(view: View, rows: Sequence[Row]) -> list[Row]:
    """The rows with those of periods after the last event, in which nothing came or went."""
    filters = view.filters
    if not rows:
        return []
    found = {row["period_start"]: row for row in rows}
    nothing = {"contacts_added": 0, "contacts_gone": 0, "net_growth": 0, "running_total": rows[-1]["running_total"]}
    return [
        found.get(start, {"period_start": start, **nothing})
        for start in period_starts(filters.start, filters.end, filters.frequency)
        if start >= rows[0]["period_start"]
    ]


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
