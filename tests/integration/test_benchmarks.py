"""What the benchmarks compare does the same work: the hand-written script's tables are the pipeline's."""

from pathlib import Path

import duckdb
import pytest

from benchmarks import handwritten
from benchmarks.generate import write_landing, write_tick
from benchmarks.sameness import TABLES, require_the_same
from tests.harness import REPORT_VIEWS, Pipeline, Row, in_order

QUALITY_VIEWS = ("rejected_records", "superseded_events", "load_balance")


@pytest.mark.slow
def test_the_handwritten_script_makes_the_tables_of_the_pipeline(tmp_path: Path, data_folder: Path) -> None:
    pipeline = Pipeline(data_folder)
    write_landing(pipeline.landing, 20_000, "jsonl.gz")
    write_tick(pipeline.landing, 20_000, 5_000, 0, "parquet")

    extraction = pipeline.run()
    handwritten.main(pipeline.landing, tmp_path / "script")

    assert extraction.warnings == []
    assert pipeline.query("select sum(records_landed) from quality.load_balance where route = 'events'") == [(25_000,)]
    for view in (*(f"reports.{name}" for name in REPORT_VIEWS), *(f"quality.{name}" for name in QUALITY_VIEWS)):
        columns = loaded_aside(pipeline, view)
        # The scripts count no rows of directories.
        rows = f"{view} where route = 'events'" if view == "quality.load_balance" else view
        expected = in_order(pipeline.query(f"select {columns} from {rows}"))
        assert expected
        assert script_rows(tmp_path / "script" / "contact_reports.duckdb", f"select {columns} from {view}") == expected
    require_the_same(tmp_path / "script" / "contact_reports.duckdb", pipeline.settings.published, None)
    (reasons,) = pipeline.query("select count(distinct reason) from quality.rejected_records")[0]
    assert reasons == 8


def test_a_contestant_that_made_other_rows_is_found(tmp_path: Path) -> None:
    write_landing(tmp_path / "landing", 1_000)
    handwritten.main(tmp_path / "landing", tmp_path / "script")
    script, other = tmp_path / "script" / "contact_reports.duckdb", tmp_path / "other"
    with duckdb.connect(str(script), read_only=True) as connection:
        for table in TABLES:
            path = other / f"{table.removeprefix('main.').replace('.', '/')}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy (from {table} order by all desc) to '{path}'")
        log = other / "reports" / "contacts_added_log.parquet"
        require_the_same(script, None, other)

        connection.execute(
            f"copy (select * replace (contact_id + (row_number() over () = 1)::int as contact_id) from "
            f"reports.contacts_added_log) to '{log}'"
        )
        with pytest.raises(RuntimeError, match="contacts_added_log: the pandas script made other values"):
            require_the_same(script, None, other)
        connection.execute(f"copy (from reports.contacts_added_log offset 1) to '{log}'")
        with pytest.raises(RuntimeError, match=r"contacts_added_log: the pandas script made \d+ rows, not \d+"):
            require_the_same(script, None, other)


def test_a_history_is_the_same_each_time_and_has_every_kind_of_record(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_landing(tmp_path / name, 5_000)
    with duckdb.connect() as connection:
        one, two = (
            connection.execute(f"from read_parquet('{tmp_path}/{name}/*/events/*.parquet') order by all").fetchall()
            for name in ("one", "two")
        )
        assert one == two
        assert len(one) == 5_000
        counts = connection.execute(
            f"""
            select count(distinct event_id), count(distinct event_type), count(distinct source)
            from read_parquet('{tmp_path}/one/*/events/*.parquet')"""
        ).fetchone()
    assert counts is not None
    events, types, sources = counts
    assert 4_800 < events < 4_900  # 3 % are sent again or corrected
    assert types == 5  # with one that is none
    assert sources > 15


def test_small_files_hold_as_many_events_as_asked(tmp_path: Path) -> None:
    write_landing(tmp_path, 2_000, "jsonl.gz", events_per_file=50)

    lines = [len(path.read_text().splitlines()) for path in tmp_path.glob("*/events/*.jsonl")]

    assert sum(lines) == 2_000
    assert sum(count != 50 for count in lines) <= 6  # each workspace's last


def loaded_aside(pipeline: Pipeline, view: str) -> str:
    """The columns of a view but those that say when a file was loaded, and by which rule an event is superseded.

    The scripts do not name the rule.
    """
    schema, name = view.split(".")
    rows = pipeline.query(
        f"""
        select column_name from information_schema.columns
        where table_schema = '{schema}' and table_name = '{name}' and column_name not like '%loaded_at'
            and (table_name, column_name) <> ('superseded_events', 'reason')
        order by column_name"""
    )
    return ", ".join(str(column) for (column,) in rows)


def script_rows(path: Path, sql: str) -> list[Row]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return in_order(connection.execute(sql).fetchall())
