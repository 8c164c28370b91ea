"""The lake has the rows of the published file, in one commit for each table that changed, and mends itself."""

import errno
import os
import shutil
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.lib.problems import Problem
from orchestration.lib.settings import read_settings
from publications.configured import configured
from publications.lake import Lake, chunks
from publications.lake.chunks import Chunk, write_chunk
from publications.lake.publication import KEPT
from publications.lake.tables import Table
from tests.lake_by_hand import (
    TABLES,
    a_lake,
    assert_equal,
    delta_table,
    publish_days,
    rows_of_the_file,
    rows_of_the_lake,
    versions,
)

EVENTS = "marts.fct_events"
TWO = [("acme", "2026-01-05", 4), ("acme", "2026-02-05", 3), ("tui", "2026-02-01", 2)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return publish_days(tmp_path / "published" / "contact_reports.duckdb", TWO)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return a_lake(tmp_path / "lake")


def data_files(lake: Lake, table: str = EVENTS) -> dict[str, int]:
    """The data files that are part of a table, by the time at which they were written."""
    return {path: os.stat(path).st_mtime_ns for path in delta_table(lake, table).file_uris()}


def test_every_type_arrives_as_it_is(lake: Lake, file: Path) -> None:
    published = lake.publish(file)
    assert published.rows == {"marts.dim_source": 2, EVENTS: 9, "reports.contacts_overview": 3}
    assert published.moved == 14
    assert_equal(lake, file)
    fields = {field.name: field for field in delta_table(lake, EVENTS).schema().fields}
    types = {name: str(field.type.to_json()).strip('"') for name, field in fields.items()}
    assert types["occurred_at"] == "timestamp", "an instant in UTC"
    assert types["occurred_at_local"] == "timestamp_ntz", "a wall clock"
    assert types["event_key"] == "decimal(20,0)"
    assert fields["contact_id"].metadata == {"comment": "The contact."}


def test_tables_with_workspaces_are_partitioned_by_them_and_presets_are_left_out(lake: Lake, file: Path) -> None:
    lake.publish(file)
    assert delta_table(lake, EVENTS).metadata().partition_columns == ["workspace_id"]
    assert delta_table(lake, "marts.dim_source").metadata().partition_columns == []
    assert not (Path(lake.target) / "reports" / "date_ranges").exists()


def test_publishing_again_commits_and_writes_nothing(lake: Lake, file: Path) -> None:
    lake.publish(file)
    before, files = versions(lake), data_files(lake)
    assert before == dict.fromkeys(TABLES, 0), "the first publication is one commit for each table"
    assert lake.publish(file).moved == 0
    assert (versions(lake), data_files(lake)) == (before, files)


def test_only_the_files_of_what_changed_are_replaced_in_one_commit(
    lake: Lake, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "ROWS_TOGETHER", 5)
    lake.publish(file)
    before = data_files(lake)
    publish_days(file, [*TWO, ("acme", "2026-02-09", 1)])
    assert lake.publish(file).moved == 3 + 4 + 2 + 3, "the events of the month, and the counts, as they were and are"
    after = data_files(lake)
    assert len(before) == len(after) == 3
    assert len(before.items() & after.items()) == 2
    assert versions(lake) == {"marts.dim_source": 0, EVENTS: 1, "reports.contacts_overview": 1}
    assert_equal(lake, file)


def test_a_workspace_that_vanished_is_removed_and_an_empty_table_stays_a_table(lake: Lake, file: Path) -> None:
    lake.publish(file)
    publish_days(file, [TWO[-1]])
    lake.publish(file)
    assert {row["workspace_id"] for row in delta_table(lake, EVENTS).partitions()} == {"tui"}
    assert_equal(lake, file)
    publish_days(file, [])
    lake.publish(file)
    assert_equal(lake, file)
    assert lake.publish(file).moved == 0


IDS = ["a b", "50%", "a%20b", "é'\"=", "+&?#", "[x]*", "0012", ".", "a\\b", "null", "acme/tui"]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(IDS),
                st.none() | st.dates().map(lambda day: f"{day.replace(year=2020 + day.year % 8)}"),
                st.integers(1, 9),
            ),
            max_size=6,
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(1, 30),
)
def test_after_any_publications_the_lake_equals_the_file(
    tmp_path: Path, histories: list[list[tuple[str, str | None, int]]], together: int
) -> None:
    lake = a_lake(tmp_path / "lake")
    shutil.rmtree(lake.target, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "ROWS_TOGETHER", together)
        for number, days in enumerate(histories):
            file = publish_days(tmp_path / "file" / "contact_reports.duckdb", days)
            lake.publish(file)
            assert_equal(lake, file)
            assert max(versions(lake).values()) <= number


@pytest.mark.parametrize(
    "change",
    [
        "comment on column marts.fct_events.contact_id is 'Another word.'",
        "alter table marts.fct_events add column batch_id bigint",
        "alter table marts.fct_events drop column event_key",
        "alter table marts.fct_events alter contact_id type varchar",
    ],
)
def test_a_table_whose_columns_or_comments_changed_is_replaced_in_one_commit(
    lake: Lake, file: Path, change: str
) -> None:
    lake.publish(file)
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop view reports.contacts_overview")
        connection.execute(change)
    assert [line for line in lake.differences(file) if "other columns" in line]
    lake.publish(file)
    assert delta_table(lake, EVENTS).version() == 1
    assert lake.differences(file) == []
    assert rows_of_the_lake(lake, EVENTS) == rows_of_the_file(file, EVENTS)


def test_what_another_program_did_to_a_table_is_found_and_mended(lake: Lake, file: Path) -> None:
    lake.publish(file)
    delta_table(lake, EVENTS).delete("contact_id = 1")
    assert lake.differences(file) == [
        f"{EVENTS}: workspace acme: 7 rows in the file, 5 in the lake",
        f"{EVENTS}: workspace tui: 2 rows in the file, 1 in the lake",
    ]
    lake.publish(file)
    assert_equal(lake, file)


def test_a_data_file_that_is_gone_or_cut_or_replaced_is_found_and_mended(lake: Lake, file: Path) -> None:
    lake.publish(file)
    for damage in (
        lambda path: path.unlink(),
        lambda path: os.truncate(path, 100),
        lambda path: shutil.copy(next(other for other in map(Path, data_files(lake)) if other != path), path),
    ):
        damage(Path(min(data_files(lake))))
        assert [line for line in lake.differences(file) if line.startswith(EVENTS)]
        lake.publish(file)
        assert_equal(lake, file)


def test_values_that_changed_in_a_data_file_of_the_same_size_and_time_are_found(lake: Lake, file: Path) -> None:
    lake.publish(file)
    path = next(path for path in map(Path, data_files(lake)) if "acme" in str(path))
    before, other = path.stat(), path.with_name("other.parquet")
    query = f"""select * replace (replace(contact_name, 'ë', 'é') as contact_name)
        from read_parquet('{path}', hive_partitioning = false)"""
    duckdb.execute(f"copy ({query}) to '{other}' (format parquet, compression zstd)")
    os.replace(other, path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert lake.differences(file) == [
        f"{EVENTS}: workspace acme: 7 rows in the file, as many, but not the same in the lake"
    ]


def test_a_table_that_is_gone_is_found_and_published_again(lake: Lake, file: Path) -> None:
    lake.publish(file)
    shutil.rmtree(Path(lake.target) / "marts")
    assert lake.differences(file) == ["marts.dim_source: it is not in the lake", f"{EVENTS}: it is not in the lake"]
    lake.publish(file)
    assert_equal(lake, file)


def test_of_two_publishers_that_saw_the_same_version_the_second_one_begins_again(
    lake: Lake, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one publishes while the first one is about to commit."""
    from publications.lake.delta import Change

    def overtaken(change: Change) -> None:
        monkeypatch.undo()
        a_lake(Path(lake.target)).publish(file)
        change.commit()

    for days in (TWO, [*TWO, ("new", "2026-03-01", 5)]):
        publish_days(file, days)
        before = rows_of_the_lake(lake, EVENTS) if DeltaTable.is_deltatable(f"{lake.target}/marts/fct_events") else []
        monkeypatch.setattr(Change, "commit", overtaken)
        lake.publish(file)
        assert_equal(lake, file)
        assert rows_of_the_lake(lake, EVENTS) != before


def test_a_publisher_that_never_comes_first_says_so(lake: Lake, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from publications.lake.delta import Change

    def late(change: Change) -> None:
        raise CommitFailedError("Concurrent transaction failed.")

    monkeypatch.setattr(Change, "commit", late)
    with pytest.raises(Problem, match=r"Another program writes to the lake .*[.] Let only one data folder") as raised:
        lake.publish(file)
    assert raised.value.is_transient


def test_a_place_that_is_not_there_is_a_problem_that_names_it(tmp_path: Path, file: Path) -> None:
    (tmp_path / "note").touch()
    for place in (tmp_path / "not" / "mounted", tmp_path / "note", tmp_path / "note" / "lake"):
        with pytest.raises(Problem, match=str(place)):
            a_lake(place).publish(file)
    assert not (tmp_path / "not").exists()


def test_the_folder_of_the_lake_is_its_owners_alone_and_one_that_is_there_stays_as_it_is(
    tmp_path: Path, file: Path
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)
    for name, mode in (("own", 0o700), ("shared", 0o755)):
        a_lake(tmp_path / name).publish(file)
        assert (tmp_path / name).stat().st_mode & 0o777 == mode


def test_a_publication_that_fails_before_its_commits_leaves_no_file(
    lake: Lake, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.publish(file)
    before = sorted(Path(lake.target).rglob("*.parquet"))
    publish_days(file, [*TWO, ("acme", "2026-03-01", 5), ("new", "2026-03-01", 5)])

    def cut_off(connection: duckdb.DuckDBPyConnection, table: Table, rows: str, chunk: Chunk, path: str) -> None:
        write_chunk(connection, table, rows, chunk, path)
        if chunk.workspace_id == "new":
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("publications.lake.delta.write_chunk", cut_off)
    with pytest.raises(Problem, match="Input/output error"):
        lake.publish(file)
    assert sorted(Path(lake.target).rglob("*.parquet")) == before


def test_a_type_that_the_lake_does_not_know_is_a_problem_that_names_the_column(lake: Lake, file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table marts.new_kind (workspace_id varchar, waited interval)")
    with pytest.raises(Problem, match=r"The column waited of marts[.]new_kind has the type INTERVAL"):
        lake.publish(file)


def test_the_lake_is_set_by_one_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTACT_REPORTS_LAKE", raising=False)
    assert [one.name for one in configured(read_settings())] == []
    monkeypatch.setenv("CONTACT_REPORTS_LAKE", str(tmp_path / "lake"))
    (publication,) = configured(read_settings())
    assert (publication.name, publication.target) == ("lake", str(tmp_path / "lake"))
    assert isinstance(publication, Lake) and publication.kept == KEPT
    for url in ("gs://bucket", "s3://", "s3:///prefix"):
        monkeypatch.setenv("CONTACT_REPORTS_LAKE", url)
        with pytest.raises(Problem, match=f"CONTACT_REPORTS_LAKE='{url}' is not possible"):
            read_settings()


def test_a_lake_that_is_a_file_is_refused_as_such(file: Path, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("notes")
    with pytest.raises(Problem, match="^The lake .*/lake is not a folder. Set CONTACT_REPORTS_LAKE to a folder"):
        a_lake(tmp_path / "lake").publish(file)
    assert (tmp_path / "lake").read_text() == "notes"
