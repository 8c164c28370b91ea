"""Compares what a pipeline published with the independent reckoning."""

from tests.harness import QUALITY_VIEWS, REPORT_VIEWS, Pipeline, Row, in_order
from tests.reckoning import Reckoning, comparable_row


def assert_as_reckoned(pipeline: Pipeline, reckoning: Reckoning, when: str) -> None:
    for schema, views in (
        ("reports", (*REPORT_VIEWS, "contacts_net_growth", "filter_values")),
        ("quality", QUALITY_VIEWS),
    ):
        for view in views:
            assert_same_rows(pipeline.rows(f"select * from {schema}.{view}"), reckoning.view(view), f"{view}, {when}")
    columns = ["workspace_id", "contact_id", "status", "first_event_at", "last_event_at", "survivor_contact_id"]
    contacts = pipeline.rows(f"select {', '.join(columns)} from marts.dim_contact")
    assert _rows(contacts, columns) == _rows(reckoning.contacts(), columns), f"dim_contact, {when}"


def assert_same_rows(published: list[dict[str, object]], expected: list[dict[str, object]], what: str) -> None:
    """Fails unless the rows of a view are those that were reckoned, in any order."""
    columns = list((expected or published or [{}])[0])
    assert not published or set(published[0]) == set(columns), f"columns of {what}"
    assert _rows(published, columns) == _rows(expected, columns), what


def _rows(rows: list[dict[str, object]], columns: list[str]) -> list[Row]:
    comparable = []
    for row in rows:
        values = dict(row)
        # The contract leaves the wording to us: of what is malformed, and of why a downloaded file is refused.
        is_of_a_refused_file = values.get("route") in ("report_log", "data_export")
        if values.get("reason") == "malformed_record" or (
            values.get("reason") == "unknown_event_type" and is_of_a_refused_file
        ):
            values["detail"] = None
        if "header" in values:
            values["reason"] = None
            # The names are kept, not the quotes around them.
            values["header"] = str(values["header"]).replace('"', "")
        if "raw_record" in values and str(values["source_file"]).endswith(".parquet"):
            values["raw_record"] = comparable_row(str(values["raw_record"]))
        if "occurred_at_local" in values and values["occurred_at_local"] is not None:
            values["occurred_at_local"] = values["occurred_at_local"].replace(fold=0)  # type: ignore[attr-defined]
        comparable.append(tuple(values[column] for column in columns))
    return in_order(comparable)
