"""The bar charts and donuts of the report, from the rows of their calls."""

from collections.abc import Sequence
from datetime import date

from page.breakdowns import Dimension, dimension_of, grouped
from page.calls import Call
from page.catalog import Component
from page.charts import (
    DAY_STEPS,
    MONTH_STEPS,
    WEEK_STEPS,
    Donut,
    Period,
    Series,
    Slice,
    bar_chart,
    donut,
)
from page.components import Chart, Kind, Table
from page.filters import Filters
from page.periods import period_end, period_starts
from page.view import View

# The possible distances between period labels of a chart, by frequency.
LABEL_STEPS = {"day": DAY_STEPS, "week": WEEK_STEPS, "month": MONTH_STEPS, "total": DAY_STEPS}


def period_of(view: View, start: date) -> Period:
    """A period of a chart. It is unfinished until its last day is over, in the time zone of the workspace."""
    filters = on_period(view, start)
    is_unfinished = period_end(start, view.filters.frequency, view.filters.end) >= view.today
    is_provisional = any(filters.start <= day <= filters.end for day in view.provisional_days)
    title = view.formats.long_period(start, view.filters.frequency, filters.start, filters.end)
    if is_unfinished:
        title += view.text("unfinished")
    if is_provisional:
        title += view.text("provisional")
    return Period(view.formats.period(filters.start, view.filters.frequency), title, is_unfinished, is_provisional)


def chart(view: View, component: Component) -> Kind:
    """A bar chart."""
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
                    view.log_address(event_type, on_period(view, start)) if value else None
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
    _, total = view.in_total(component.function)
    series = []
    for group in grouped(dimension.counts(view.rows(total)), view.text("others")):
        counts = [sum(values.get((key, start), 0) for key in group.keys) for start in starts]
        series.append(
            Series(
                label=group.label,
                color=group.color,
                values=counts,
                hrefs=[
                    view.log_address(event_type, dimension.filtered(on_period(view, start), group.keys))
                    if count
                    else None
                    for start, count in zip(starts, counts, strict=True)
                ],
                href=view.log_address(event_type, dimension.filtered(view.filters, group.keys)),
                total=view.formats.number(group.count),
            )
        )
    return series


def ring(view: View, component: Component) -> Kind:
    """A donut chart."""
    filters, call = view.in_total(component.function)
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
                total=view.formats.number(group.count),
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


def on_period(view: View, start: date) -> Filters:
    """The filters on the days of a period that are in the range."""
    return view.filters.on(start, period_end(start, view.filters.frequency, view.filters.end))
