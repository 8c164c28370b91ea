"""The metrics of the report: a number with its change, and lists by source or channel."""

from datetime import date

from page.breakdowns import Dimension, dimension_of
from page.calls import Call
from page.catalog import Component
from page.components import Breakdown, Change, Entry, Kind, Metric
from page.publication import Row
from page.trust import read_trust
from page.view import View

COMPARED = "reports.contacts_compared_between"


def number_of_events(view: View, event_type: str) -> int:
    """How many rows a log has under the filters. 0 if a filter does not apply to it."""
    counts = {row["metric"]: int(row["contacts"]) for row in view.rows(view.call(COMPARED))}
    return counts.get(f"contacts_{event_type}", 0)


def metric(view: View, component: Component) -> Kind:
    """A number, or a number with its list by source or channel."""
    dimension = dimension_of(view, component)
    if dimension is None:
        return view.filters, view.call(COMPARED), lambda: _compared_metric(view, component.event_types[0])
    filters, call = view.in_total(component.function)
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
        href=view.log_address(event_type) if row["contacts"] else None,
        change=Change(
            text=text,
            direction="up" if difference > 0 else "down" if difference < 0 else "same",
            before=view.formats.number(row["contacts_before"]),
            days_before=view.formats.days(row["start_date_before"], row["end_date_before"]),
            note=_note(view, row),
        ),
    )


def _note(view: View, row: Row) -> str | None:
    since = data_since(view)
    if since and row["start_date_before"] < since:
        return view.text("before_data", day=view.formats.day(since))
    return view.text("not_over") if view.filters.end >= view.today else None


def data_since(view: View) -> date | None:
    """The first day of the data of the workspace; None if there is none."""
    assert view.filters.workspace is not None
    since = read_trust(view.reader, view.filters.workspace).since
    return since.date() if since else None


def _compared(view: View, event_type: str) -> Row:
    return next(row for row in view.rows(view.call(COMPARED)) if row["metric"] == f"contacts_{event_type}")
