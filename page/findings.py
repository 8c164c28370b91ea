"""The rows behind the state of the data: views of schema `quality`."""

from collections.abc import Mapping
from typing import Any

from page.calls import Query
from page.filters import Filters

# The views that are shown, and their order: what somebody has to look at first.
ORDERS: Mapping[str, str] = {
    "rejected_records": "loaded_at desc, source_file, source_line",
    "refused_files": "loaded_at desc, source_file",
    "report_log_gaps": "first_date desc, event_type",
    "cut_report_logs": "loaded_at desc, source_file",
    "reconciliation": "report_date desc, event_type",
    "superseded_events": "occurred_at desc, event_id",
    "load_balance": "loaded_at desc, source_file",
}


# What the state of the data counts of some views. The others are counted whole.
_CONDITIONS = {
    "report_log_gaps": "certainty = 'certain'",
    "reconciliation": "is_provisional and report_date between $start_date and $end_date",
}


def findings(view: str, filters: Filters) -> Query:
    """All rows of a view that concern the workspace."""
    return Query(f"{_of_workspace(view)}\norder by {ORDERS[view]}", _values(view, filters))


def number_of_findings(view: str, filters: Filters) -> Query:
    """How many rows there are, in the column `number`."""
    return Query(f"select count(*) as number\n{_of_workspace(view)}", _values(view, filters))


def page_of_findings(view: str, filters: Filters, limit: int, offset: int) -> Query:
    """Some of the rows."""
    all_rows = findings(view, filters)
    return Query(f"{all_rows.sql}\nlimit {limit} offset {offset}", all_rows.parameters)


def _of_workspace(view: str) -> str:
    condition = f" and {_CONDITIONS[view]}" if view in _CONDITIONS else ""
    return f"from quality.{view}\nwhere workspace_id = $workspace_id{condition}"


def _values(view: str, filters: Filters) -> dict[str, Any]:
    values = {"workspace_id": filters.workspace, "start_date": filters.start, "end_date": filters.end}
    return {name: value for name, value in values.items() if f"${name}" in _of_workspace(view)}
