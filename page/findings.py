"""The data quality views: queries of their rows, for the pages below `/quality/` and the state of the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from page.calls import Query
from page.filters import Filters


@dataclass(frozen=True)
class Finding:
    """A data quality view as the page shows it."""

    order_by: str
    condition: str = ""  # without one, all rows of the workspace are shown
    needs_attention: bool = False  # the number of rows is in the state of the data


FINDINGS: Mapping[str, Finding] = {
    "rejected_records": Finding("loaded_at desc, source_file, source_line", needs_attention=True),
    "refused_files": Finding("loaded_at desc, source_file", needs_attention=True),
    "report_log_gaps": Finding("first_date desc, event_type", "certainty = 'certain'", needs_attention=True),
    "cut_report_logs": Finding("loaded_at desc, source_file", needs_attention=True),
    "reconciliation": Finding(
        "report_date desc, event_type", "is_provisional and report_date between $start_date and $end_date"
    ),
    "superseded_events": Finding("occurred_at desc, event_id"),
    "load_balance": Finding("loaded_at desc, source_file"),
}


def findings(view: str, filters: Filters) -> Query:
    """All rows of a view for the workspace."""
    values = {"workspace_id": filters.workspace, "start_date": filters.start, "end_date": filters.end}
    return _query(f"{_of_workspace(view)}\norder by {FINDINGS[view].order_by}", values)


def page_of_findings(view: str, filters: Filters, limit: int, offset: int) -> Query:
    """One page of the rows."""
    all_rows = findings(view, filters)
    return Query(f"{all_rows.sql}\nlimit {limit} offset {offset}", all_rows.parameters)


def number_of_findings(view: str, filters: Filters) -> Query:
    """The number of rows, in the column `number`."""
    return _number(view, findings(view, filters).parameters)


def attention(workspace: str) -> dict[str, Query]:
    """The numbers of rows of the views that need attention, in the column `number`."""
    return {view: _number(view, {"workspace_id": workspace}) for view, one in FINDINGS.items() if one.needs_attention}


def _number(view: str, values: Mapping[str, Any]) -> Query:
    return _query(f"select count(*) as number\n{_of_workspace(view)}", values)


def _of_workspace(view: str) -> str:
    condition = f" and {FINDINGS[view].condition}" if FINDINGS[view].condition else ""
    return f"from quality.{view}\nwhere workspace_id = $workspace_id{condition}"


def _query(sql: str, values: Mapping[str, Any]) -> Query:
    return Query(sql, {name: value for name, value in values.items() if f"${name}" in sql})
