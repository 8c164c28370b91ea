"""The published file has the tables of a version of Spark, and the facts of as many days as are asked for."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.settings import read_settings
from orchestration.lib.warehouse.from_version import copy_tables
from orchestration.lib.warehouse.versions import Version, new_version

_DAYS = {
    "fct_contacts_added": ["2026-11-01", "2026-11-20", "2026-11-29", "2026-11-30"],
    # The newest one is ten days older than that of the other fact.
    "fct_contacts_merged": ["2026-10-01", "2026-11-19", "2026-11-20"],
    "agg_contacts_daily": ["2026-10-01", "2026-11-30"],
}


def _node(table: str, **others: object) -> dict[str, object]:
    return {"schema": "marts", "alias": table, "tags": [], "config": {"materialized": "table"}, **others}


MANIFEST = {
    "nodes": {
        **{table: _node(table) for table in _DAYS},
        "a view": _node("fct_contact_events", config={"materialized": "view"}),
        "the work of a run": _node("int_changed_days", tags=["this_run"]),
    }
}


@pytest.fixture
def version(tmp_path: Path) -> Version:
    settings = read_settings().model_copy(update={"data": tmp_path / "data [1]"})
    settings.warehouse.parent.mkdir(parents=True)
    version = new_version(settings, "", compares_rejects=False)
    for table, days in _DAYS.items():
        folder = version.files_of("marts", table)
        folder.mkdir(parents=True)
        for part, day in enumerate(days):
            duckdb.execute(
                f"copy (select date '{day}' as report_date, timestamptz '{day} 12:00:00Z' as occurred_at)"
                f" to '{folder}/part-{part}.parquet'"
            )
    return version


def copied(version: Version) -> dict[str, list[str]]:
    copy_tables(version, MANIFEST)
    with duckdb.connect(str(version.settings.warehouse)) as connection:
        tables = connection.execute("select table_name from duckdb_tables()").fetchall()
        return {
            table: [str(day) for (day,) in connection.execute(f"select report_date from marts.{table}").fetchall()]
            for (table,) in tables
        }


def test_all_tables_are_copied_and_facts_are_stored_newest_first(version: Version) -> None:
    tables = copied(version)
    assert {table: sorted(days) for table, days in tables.items()} == _DAYS
    assert tables["fct_contacts_added"] == _DAYS["fct_contacts_added"][::-1]


def test_the_days_of_facts_end_with_the_newest_day_of_any_fact(version: Version) -> None:
    tables = copied(replace(version, settings=version.settings.model_copy(update={"spark_days": 11})))
    assert tables["fct_contacts_added"] == ["2026-11-30", "2026-11-29", "2026-11-20"]
    assert tables["fct_contacts_merged"] == ["2026-11-20"]
    assert sorted(tables["agg_contacts_daily"]) == _DAYS["agg_contacts_daily"]
