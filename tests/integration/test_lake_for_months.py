"""Months of publications: the lake stays small, and cleaning takes nothing from readers and writers."""

import os
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from publications.lake import Lake
from tests.lake_by_hand import a_lake, assert_equal, delta_table, publish_days, rows_of_the_file

pytestmark = pytest.mark.slow

EVENTS = "marts.fct_events"


def publish(lake: Lake, file: Path, number: int) -> None:
    """One of many publications: a workspace has one event more, another one stays as it is."""
    publish_days(file, [("acme", "2026-03-01", number + 1), ("tui", "2026-03-01", 1)])
    lake.publish(file)


def left_behind(lake: Lake, name: str) -> Path:
    """A file that a publisher wrote or writes, and that no log names."""
    path = Path(lake.target) / "marts" / "fct_events" / "workspace_id=acme" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_with_many_publications_the_number_of_files_stays_bounded(tmp_path: Path) -> None:
    file, lake = tmp_path / "file" / "contact_reports.duckdb", a_lake(tmp_path / "lake", kept=timedelta(0))
    by_a_killed_one = left_behind(lake, "left.parquet")
    os.utime(by_a_killed_one, (0, 0))
    table, counted = Path(lake.target) / "marts" / "fct_events", []
    for number in range(75):
        publish(lake, file, number)
        counted.append((len([*table.glob("workspace_id=*/*")]), len([*table.glob("_delta_log/*")])))
    assert_equal(lake, file)
    assert not by_a_killed_one.exists()
    assert max(files for files, _ in counted) <= 24 + 3
    assert max(entries for _, entries in counted) <= 2 * 20 + 10
    assert delta_table(lake, EVENTS).version() == 75 - 1 + 2 * 3, "one commit each, and two for each cleaning"


def test_cleaning_leaves_what_an_open_reader_reads_and_what_another_publisher_writes(tmp_path: Path) -> None:
    file, lake = tmp_path / "file" / "contact_reports.duckdb", a_lake(tmp_path / "lake")
    publish(lake, file, 0)
    opened, rows = delta_table(lake, EVENTS), rows_of_the_file(file, EVENTS)
    writing, long_gone = left_behind(lake, "writing.parquet"), left_behind(lake, "left.parquet")
    os.utime(long_gone, (0, 0))
    for number in range(1, 25):
        publish(lake, file, number)
    assert not long_gone.exists(), "it was cleaned"
    assert writing.exists()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("rows", opened.scan())
        assert connection.execute("select columns(*)::varchar from rows order by all").fetchall() == rows
