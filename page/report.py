"""What each component of the report shows under the filters of a request. Which there are, the publication says."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from page.breakdowns import Dimension, dimension_of, grouped
from page.calls import Call
from page.catalog import Component
from page.charts import (
    DAY_STEPS,
    MONTH_STEPS,
    WEEK_STEPS,
    BarChart,
    Donut,
    Period,
    Series,
    Slice,
    bar_chart,
    donut,
)
from page.filters import Filters
from page.periods import period_end, period_starts
from page.publication import Row
from page.trust import read_trust
from page.view import View

_PREVIEWED_ROWS = 10
_COMPARED = "reports.contacts_compared_between"
_STATES = "reports.component_states"
NEWEST_FIRST = "occurred_at desc, event_id"
# Which periods of a chart have a label, by frequency.
LABEL_STEPS = {"day": DAY_STEPS, "week": WEEK_STEPS, "month": MONTH_STEPS, "total": DAY_STEPS}


@dataclass(frozen=True)
class Change:
    """A number against that of an earlier range."""

    text: str
    direction: str  # up, down or same
    before: str
    days_before: str
    note: str | None = None  # why it says less than it seems to


@dataclass(frozen=True)
class Metric:
    """One number."""

    label: str
    value: str
    href: str | None
    change: Change


@dataclass(frozen=True)
class Entry:
    """One line of a list by source or channel."""

    label: str
    count: str
    percent: str
    share: float  # 0 to 100
    href: str | None


@dataclass(frozen=True)
class Breakdown:
    """A number with its list by source or channel."""

    metric: Metric
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Table:
    """The numbers of a chart, for those who read rather than look."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """A bar chart and its numbers."""

    chart: BarChart
    table: Table


@dataclass(frozen=True)
class LogPreview:
    """The newest rows of a log, and how many there are."""

    event_type: str
    total: int
    rows: Sequence[Row]


Body = Metric | Breakdown | Chart | Donut | LogPreview


@dataclass(frozen=True)
class Shown:
    """A component with its state. It has a body where the state is `ok`."""

    key: str
    kind: str
    block: str
    title: str
    state: str
    reason: str | None
    begins_on: date | None
    call: Call
    filters: Filters  # of the call
    body: Body | None


def shown_components(view: View, components: Sequence[Component]) -> list[Shown]:
    """Components of the report page with their states and numbers."""
    language = view.filters.language
    kinds = {component.key: _KINDS[component.kind](view, component) for component in components}
    calls = [view.call(_STATES), view.call(_COMPARED), *(call for _, call, _ in kinds.values() if call.limit is None)]
    provisional = view.provisional_days_query
    view.reader.together({call.text(): call.rows for call in calls} | {provisional.text(): provisional.rows})
    states = {row["component"]: row for row in view.rows(view.call(_STATES))}
    previews = [
        _preview_call(view, component)
        for component in components
        if component.kind == "log" and states[component.key]["state"] == "ok"
    ]
    view.reader.together({call.text(): call.rows for call in previews})
    shown = []
    for component in components:
        state = states[component.key]
        filters, call, body = kinds[component.key]
        shown.append(
            Shown(
                key=component.key,
                kind=component.kind,
                block=component.block,
                title=component.titles[language],
                state=state["state"],
                reason=state["reason_fr" if language == "fr" else "reason"],
                begins_on=state["first_date_with_data"],
                call=call,
                filters=filters,
                body=body() if state["state"] == "ok" else None,
            )
        )
    return shown


def number_of_events(view: View, event_type: str) -> int:
    """How many rows a log has under the filters."""
    return int(_compared(view, event_type)["contacts"])


def period_of(view: View, start: date) -> Period:
    """A period as a chart shows it. It is unfinished up to its last day, in the zone of the workspace."""
    filters = _on_period(view, start)
    is_unfinished = period_end(start, view.filters.frequency, view.filters.end) >= view.today
    is_provisional = any(filters.start <= day <= filters.end for day in view.provisional_days)
    title = view.formats.long_period(start, view.filters.frequency, filters.start, filters.end)
    if is_unfinished:
        title += view.text("unfinished")
    if is_provisional:
        title += view.text("provisional")
    return Period(view.formats.period(filters.start, view.filters.frequency), title, is_unfinished, is_provisional)


# The filters of a component's call, the call, and what makes its body, which reads the rows.
_Kind = tuple[Filters, Call, Callable[[], Body]]


def _metric(view: View, component: Component) -> _Kind:
    dimension = dimension_of(view, component)
    if dimension is None:
        return view.filters, view.call(_COMPARED), lambda: _compared_metric(view, component.event_types[0])
    filters, call = _in_total(view, component)
    return filters, call, lambda: _breakdown(view, component, dimension, call)


def _breakdown(view: View, component: Component, dimension: Dimension, call: Call) -> Breakdown:
    event_type = component.event_types[0]
    return Breakdown(
        _compared_metric(view, event_type),
        [
            Entry(
                label=counted.label,
                count=view.formats.number(counted.count),
                percent=view.formats.percent(counted.percentage),
                share=counted.percentage,
                href=view.log_address(event_type, dimension.filtered(view.filters, [counted.key])),
            )
            for counted in dimension.counts(view.rows(call))
        ],
    )


def _compared_metric(view: View, event_type: str) -> Metric:
    row = _compared(view, event_type)
    difference = row["difference"]
    text = view.formats.signed(difference)
    if row["percent"] is not None:
        text += f" ({view.formats.signed_percent(row['percent'])})"
    return Metric(
        label=view.label("metric", row["metric"]),
        value=view.formats.number(row["contacts"]),
        href=view.log_address(event_type),
        change=Change(
            text=text,
            direction="up" if difference > 0 else "down" if difference < 0 else "same",
            before=view.formats.number(row["contacts_before"]),
            days_before=view.formats.days(row["start_date_before"], row["end_date_before"]),
            note=_note(view, row),
        ),
    )


def _note(view: View, row: Row) -> str | None:
    assert view.filters.workspace is not None
    since = read_trust(view.reader, view.filters.workspace).since
    if since and row["start_date_before"] < since.date():
        return view.text("before_data", day=view.formats.day(since))
    return view.text("not_over") if view.filters.end >= view.today else None


def _compared(view: View, event_type: str) -> Row:
    return next(row for row in view.rows(view.call(_COMPARED)) if row["metric"] == f"contacts_{event_type}")


def _bar_chart(view: View, component: Component) -> _Kind:
    call = view.call(component.function, order_by="period_start")
    return view.filters, call, lambda: _chart(view, component, call)


def _chart(view: View, component: Component, call: Call) -> Chart:
    filters, title = view.filters, component.titles[view.filters.language]
    starts = period_starts(filters.start, filters.end, filters.frequency)
    periods = [period_of(view, start) for start in starts]
    dimension = dimension_of(view, component)
    series = (
        _series_by_type(view, component, call, starts)
        if dimension is None
        else _series_by_dimension(view, component, dimension, call, starts)
    )
    chart = bar_chart(
        periods,
        series,
        stacked=dimension is not None,
        title=title,
        description=f"{title}, {view.formats.days(filters.start, filters.end)}",
        format_number=view.formats.number,
        id=component.key,
        label_steps=LABEL_STEPS[filters.frequency],
        colon=view.formats.colon,
    )
    table = Table(
        columns=[view.label("frequency", filters.frequency), *(one.label for one in series)],
        rows=[
            [period.title, *(view.formats.number(one.values[index]) for one in series)]
            for index, period in enumerate(periods)
        ],
    )
    return Chart(chart, table)


def _series_by_type(view: View, component: Component, call: Call, starts: Sequence[date]) -> list[Series]:
    rows = {row["period_start"]: row for row in view.rows(call)}
    series = []
    for color, event_type in enumerate(component.event_types, start=1):
        metric = f"contacts_{event_type}"
        values = [rows[start][metric] for start in starts]
        series.append(
            Series(
                label=view.label("metric", metric),
                color=color,
                values=values,
                hrefs=[
                    view.log_address(event_type, _on_period(view, start)) if value else None
                    for start, value in zip(starts, values, strict=True)
                ],
                href=view.log_address(event_type),
                total=view.formats.number(sum(values)),
            )
        )
    return series


def _series_by_dimension(
    view: View, component: Component, dimension: Dimension, call: Call, starts: Sequence[date]
) -> list[Series]:
    event_type = component.event_types[0]
    values = {(one.key, one.period): one.count for one in dimension.counts(view.rows(call))}
    _, total = _in_total(view, component)
    series = []
    for group in grouped(dimension.counts(view.rows(total)), view.text("others")):
        counts = [sum(values.get((key, start), 0) for key in group.keys) for start in starts]
        series.append(
            Series(
                label=group.label,
                color=group.color,
                values=counts,
                hrefs=[
                    view.log_address(event_type, dimension.filtered(_on_period(view, start), group.keys))
                    if count
                    else None
                    for start, count in zip(starts, counts, strict=True)
                ],
                href=view.log_address(event_type, dimension.filtered(view.filters, group.keys)),
                total=view.formats.number(group.count),
            )
        )
    return series


def _donut(view: View, component: Component) -> _Kind:
    filters, call = _in_total(view, component)
    return filters, call, lambda: _ring(view, component, call)


def _ring(view: View, component: Component, call: Call) -> Donut:
    dimension = dimension_of(view, component)
    assert dimension is not None, f"{component.key} is a donut, and its report has neither sources nor channels"
    event_type, title = component.event_types[0], component.titles[view.filters.language]
    groups = grouped(dimension.counts(view.rows(call)), view.text("others"))
    return donut(
        [
            Slice(
                label=group.label,
                color=group.color,
                value=group.count,
                text=view.formats.number(group.count),
                share=view.formats.percent(group.percentage),
                href=view.log_address(event_type, dimension.filtered(view.filters, group.keys)),
            )
            for group in groups
        ],
        title=title,
        description=f"{title}, {view.formats.days(view.filters.start, view.filters.end)}",
        center=view.formats.number(sum(group.count for group in groups)),
        center_label=view.label("metric", f"contacts_{event_type}"),
        id=component.key,
        colon=view.formats.colon,
    )


def _log(view: View, component: Component) -> _Kind:
    call = view.call(component.function, order_by=NEWEST_FIRST, limit=_PREVIEWED_ROWS)
    return view.filters, call, lambda: _preview(view, component)


def _preview(view: View, component: Component) -> LogPreview:
    event_type = component.event_types[0]
    return LogPreview(event_type, number_of_events(view, event_type), view.rows(_preview_call(view, component)))


def _preview_call(view: View, component: Component) -> Call:
    newest = _newest(view, component.event_types[0])
    return view.call_under(newest, component.function, order_by=NEWEST_FIRST, limit=_PREVIEWED_ROWS)


def _newest(view: View, event_type: str) -> Filters:
    """The filters from the period on in which the newest rows of a log are.

    DuckDB sorts all rows of a log to find them: 40 ms for 30 days of four million events, and 6 ms for the last day.
    """
    chart = next(
        component
        for component in view.catalog.components
        if component.kind == "bar_chart" and event_type in component.event_types
    )
    counts: Counter[date] = Counter()
    for row in view.rows(view.call(chart.function, order_by="period_start")):
        counts[row["period_start"]] += row[f"contacts_{event_type}"]
    rows = 0
    for start in sorted(counts, reverse=True):
        rows += counts[start]
        if rows >= _PREVIEWED_ROWS:
            return view.filters.on(start, view.filters.end)
    return view.filters


_KINDS: Mapping[str, Callable[[View, Component], _Kind]] = {
    "metric": _metric,
    "bar_chart": _bar_chart,
    "donut": _donut,
    "log": _log,
}


def _in_total(view: View, component: Component) -> tuple[Filters, Call]:
    filters = replace(view.filters, frequency="total", is_frequency_chosen=True)
    return filters, view.call_under(filters, component.function)


def _on_period(view: View, start: date) -> Filters:
    return view.filters.on(start, period_end(start, view.filters.frequency, view.filters.end))
