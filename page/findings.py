"""The rows behind the state of the data: views of schema `quality`."""

from collections.abc import Mapping

from page.calls import Query

# The views that are shown, and their order: what somebody has to look at first.
ORDERS: Mapping[str, str] = {
    "rejected_records": "loaded_at desc, source_file, source_line",
    "refused_files": "loaded_at desc, source_file",
    "report_log_gaps": "first_date desc, event_type",
    "cut_report_logs": "loaded_at desc, source_file",
    "reconciliation": "is_provisional desc, report_date desc, event_type",
    "superseded_events": "occurred_at desc, event_id",
    "load_balance": "loaded_at desc, source_file",
}


def findings(view: str, workspace: str) -> Query:
    """All rows of a view that concern a workspace."""
    return Query(
        f"from quality.{view}\nwhere workspace_id = $workspace_id\norder by {ORDERS[view]}", {"workspace_id": workspace}
    )


def number_of_findings(view: str, workspace: str) -> Query:
    """How many rows there are, in the column `number`."""
    return Query(
        f"select count(*) as number\nfrom quality.{view}\nwhere workspace_id = $workspace_id",
        {"workspace_id": workspace},
    )


def page_of_findings(view: str, workspace: str, limit: int, offset: int) -> Query:
    """Some of the rows."""
    return Query(f"{findings(view, workspace).sql}\nlimit {limit} offset {offset}", {"workspace_id": workspace})
