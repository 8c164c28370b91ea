"""What the command `export` writes: rows, days, filters, times, formulas, sheets, and what it refuses."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import duckdb
import pytest
import python_calamine

from orchestration.lib.export.export import Wanted, export
from orchestration.lib.export.files import FORMATS
from orchestration.lib.problems import Problem
from orchestration.lib.progress import listening
from orchestration.lib.settings import Settings, read_settings
from tests.unit.page.small_publication import Event, Small

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
EVENTS = [
    Event("a", datetime(2026, 1, 15, 12, tzinfo=UTC), "acme", 7, "=1+1"),
    Event("b", datetime(2026, 7, 15, 12, 30, tzinfo=UTC), "zoo", 8, "Ana"),
    Event("c", datetime(2026, 1, 20, 23, tzinfo=UTC), "gone", 9, "Bo\x01"),
]


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small publication. Its two workspaces have zones, a third is not listed."""
    path = tmp_path_factory.mktemp("published") / "contact_reports.duckdb"
    Small(EVENTS).publish(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update reports.workspaces set timezone = 'Europe/Paris' where workspace_id = 'acme'")
        connection.execute("update reports.workspaces set timezone = 'America/New_York' where workspace_id = 'zoo'")
        connection.execute("create schema quality; create view quality.refused_files as select 'a' as reason")
        connection.execute("create view quality.rejected_records as from reports.contacts_added_log")
        # Refuses as the real one does.
        connection.execute("""
            create or replace macro reports.contacts_overview_between(
                start_date, end_date, frequency := 'day', workspace_id := null, sources := null
            ) as table
                select case
                    when start_date > end_date then error('start_date is after end_date')
                    when workspace_id not in ('acme', 'zoo', 'gone') then error('workspace_id is not known')
                    when not list_has_all(['user'], coalesce(sources, [])) then error('sources is not known')
                end""")
    return path


@pytest.fixture
def settings(publication: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a data folder with that publication."""
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path / "data"))
    settings = read_settings()
    settings.published.parent.mkdir(parents=True)
    shutil.copy(publication, settings.published)
    return settings


def wanted(view: str = "contacts_added_log", *filters: str, **others: Any) -> Wanted:
    return Wanted(view, filters=[(name, value) for name, value in (text.split("=", 1) for text in filters)], **others)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, by column."""
    if path.suffix == ".xlsx":
        header, *cells = python_calamine.load_workbook(path).get_sheet_by_index(0).to_python()
        return [dict(zip(map(str, header), row, strict=True)) for row in cells]
    function = {"csv": "read_csv('{}', all_varchar = true)", "parquet": "read_parquet('{}')"}[path.suffix[1:]]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        result = connection.execute(f"from {function.format(path)}")
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def one(settings: Settings, asked: Wanted) -> list[dict[str, Any]]:
    (path,) = export(settings, asked)
    return rows(path)


SELECTED: list[tuple[Wanted, str]] = [
    (wanted(), "bca"),
    (wanted("reports.contacts_added_log"), "bca"),
    (wanted(first=FIRST, last=LAST), "ca"),
    (wanted(first=date(2026, 2, 1)), "b"),
    (wanted("contacts_added_log", "workspace=acme"), "a"),
    (wanted("contacts_added_log", "workspace_id=acme", "workspace=zoo"), "ba"),
    (wanted("contacts_added_log", "contact=8", "contact=9", "source=user"), "bc"),
    (wanted("contacts_added_log", "contact_name==1+1"), "a"),
    (wanted("contacts_added_log_between", first=FIRST, last=LAST), "ca"),
    (wanted("contacts_added_log_between", "workspace=acme", "contact=7", first=FIRST, last=LAST), "a"),
    (wanted("contacts_added_log_between", "contact_ids=9", first=FIRST, last=LAST), "c"),
    (wanted("contacts_added_log", "event_id=none"), ""),
]


@pytest.mark.parametrize(
    ("asked", "expected", "file_format"),
    [(*selected, file_format) for selected, file_format in zip(SELECTED, cycle(FORMATS), strict=False)],
)
def test_the_rows_of_a_view_or_function_are_those_of_the_days_and_filters_newest_first(
    settings: Settings, tmp_path: Path, asked: Wanted, expected: str, file_format: str
) -> None:
    asked = Wanted(asked.view, asked.first, asked.last, asked.filters, file_format, tmp_path / f"rows.{file_format}")

    found = one(settings, asked)

    assert "".join(row["event_id"] for row in found) == expected


def test_what_has_no_instant_is_sorted_from_its_first_column_on(settings: Settings) -> None:
    found = one(settings, wanted("contacts_net_growth_between", first=FIRST, last=LAST))

    assert [row["period_start"] for row in found] == ["2026-01-15", "2026-01-20"]


def test_instants_in_xlsx_are_the_wall_clock_of_the_workspace_and_utc_where_none_is_listed(settings: Settings) -> None:
    found = {row["event_id"]: row["occurred_at"] for row in one(settings, wanted(format="xlsx"))}

    assert found == {
        "a": datetime(2026, 1, 15, 13),
        "b": datetime(2026, 7, 15, 8, 30),
        "c": datetime(2026, 1, 20, 23),
    }


def test_csv_has_a_byte_order_mark_instants_in_utc_and_no_formula(settings: Settings) -> None:
    (path,) = export(settings, wanted("contacts_added_log", "event_id=a"))

    header, row, rest = path.read_text().split("\n")

    assert header.startswith("\ufeffworkspace_id,occurred_at,")
    assert row.startswith("acme,2026-01-15T12:00:00Z,")
    assert ",'=1+1," in row and rest == ""


def test_parquet_has_the_values_as_they_are(settings: Settings) -> None:
    (row,) = one(settings, wanted("contacts_added_log", "event_id=c", format="parquet"))

    assert (row["contact_id"], row["contact_name"]) == (9, "Bo\x01")


def test_rows_that_do_not_fit_a_sheet_become_more_files_and_this_is_said(settings: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    with listening(lambda *_: None, said.append):
        paths = export(settings, wanted(out=tmp_path / "log.xlsx"), rows_of_a_sheet=2)

    assert [path.name for path in paths] == ["log_1.xlsx", "log_2.xlsx"]
    assert [[row["event_id"] for row in rows(path)] for path in paths] == [["b", "c"], ["a"]]
    assert said == ["a sheet has at most 2 rows, so these are 2 files", "3 rows"]


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(("days", "words"), [((FIRST, LAST), "2 rows"), ((date(2025, 1, 1), FIRST), "0 rows")])
def test_the_number_of_rows_is_said_also_when_there_is_none(
    settings: Settings, file_format: str, days: tuple[date, date], words: str
) -> None:
    said: list[str] = []
    with listening(lambda *_: None, said.append):
        export(settings, wanted(format=file_format, first=days[0], last=days[1]))

    assert said == [words]


@pytest.mark.parametrize(
    ("view", "sheet"),
    [
        ("reports.contacts_added_log", "contacts_added_log"),
        ("contacts_net_growth_between", "contacts_net_growth_between"),
    ],
)
def test_a_sheet_is_named_like_the_view(settings: Settings, view: str, sheet: str) -> None:
    (path,) = export(settings, wanted(view, format="xlsx", first=FIRST, last=LAST))

    assert python_calamine.load_workbook(path).sheet_names == [sheet]


def test_a_record_of_an_unknown_workspace_is_exported(settings: Settings) -> None:
    with duckdb.connect(str(settings.published)) as connection:
        connection.execute("update reports.contacts_added_log set workspace_id = 'new' where event_id = 'a'")

    assert [row["event_id"] for row in one(settings, wanted("quality.rejected_records", "workspace=new"))] == ["a"]


def test_without_a_name_the_file_is_in_a_private_folder_of_the_data_folder(settings: Settings) -> None:
    (path,) = export(settings, wanted(first=FIRST, last=LAST))

    assert path == settings.data / "exports" / "contacts_added_log_2026-01-01_2026-01-31.csv"
    assert path.parent.stat().st_mode & 0o077 == 0


def test_the_ending_of_the_name_gives_the_format_and_a_file_is_replaced_as_a_whole(
    settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "log.parquet"
    out.write_text("the file before")
    with out.open() as still_read:
        export(settings, wanted(out=out))
        assert still_read.read() == "the file before"

    assert len(rows(out)) == 3
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == ["log.parquet"]


REFUSED = [
    (wanted("contacts_aded_log"), ("'contacts_aded_log'", "Did you mean contacts_added_log")),
    (wanted("zzz"), ("'zzz'", "docs/published-file.md")),
    (wanted("reports.zzz'; drop"), ("no view or table function",)),
    (wanted("contacts_added_log", "sorce=user"), ("no filter 'sorce'", "Did you mean source")),
    (wanted("contacts_added_log_between", "channel=1", first=FIRST, last=LAST), ("no filter 'channel'", "contact_ids")),
    (wanted("contacts_added_log", "contact=x"), ("value of another type", "'x'")),
    (wanted("contacts_added_log_between", "contact=-1", first=FIRST, last=LAST), ("'-1'", "positive whole number")),
    (wanted("contacts_added_log_between", "workspace=a", "workspace=b", first=FIRST, last=LAST), ("takes one value",)),
    (wanted("contacts_added_log_between", first=FIRST), ("first and the last day", "--to")),
    (wanted("refused_files", first=FIRST), ("have no day", "Leave out --from")),
    (wanted(first=LAST, last=FIRST), ("contacts_added_log: start_date is after end_date",)),
    (wanted("quality.rejected_records", first=LAST, last=FIRST), ("start_date is after end_date",)),
    (wanted("contacts_added_log", "workspace=acme", "workspace=zo"), ("workspace_id is not known",)),
    (wanted("contacts_added_log", "source=usr", first=FIRST), ("sources is not known",)),
    (wanted(out=Path("/tmp/log.txt")), ("/tmp/log.txt has an ending that is no format", ".csv, .xlsx or .parquet")),
    (wanted(out=Path("/proc/log.csv")), ("Nothing can be written into /proc", "--out")),
    (wanted(out=Path("/nowhere/log.csv")), ("no folder /nowhere",)),
    (wanted(out=Path("/tmp")), ("is a folder", "--out")),
    (wanted(out=Path("/tmp/log.csv"), format="xlsx"), ("log.csv is asked for as xlsx", "log.xlsx")),
]


@pytest.mark.parametrize(("asked", "words"), REFUSED)
def test_what_cannot_be_exported_is_refused_in_one_line_with_the_cure(
    settings: Settings, asked: Wanted, words: tuple[str, ...]
) -> None:
    with pytest.raises(Problem) as refused:
        export(settings, asked)

    assert "\n" not in str(refused.value)
    assert {word for word in words if word not in str(refused.value)} == set()
    assert list(settings.data.glob("exports/*")) == []


@pytest.mark.parametrize("name", ["log.txt", "log"])
def test_a_file_may_have_any_name_when_the_format_is_given(settings: Settings, tmp_path: Path, name: str) -> None:
    assert export(settings, wanted(out=tmp_path / name, format="csv")) == [tmp_path / name]


def test_a_value_that_a_report_refuses_is_its_own_message(settings: Settings) -> None:
    with duckdb.connect(str(settings.published)) as connection:
        connection.execute(
            "create macro reports.picky(start_date, end_date, workspace_id := null) as table "
            "select error('workspace_id ''x'' is not known, it is one of: acme')"
        )

    with pytest.raises(Problem, match="^picky: workspace_id 'x' is not known, it is one of: acme$"):
        export(settings, wanted("picky", "workspace=x", first=FIRST, last=LAST))


def test_before_the_first_publication_there_is_nothing_to_export(settings: Settings) -> None:
    settings.published.unlink()

    with pytest.raises(Problem, match="Nothing is published yet.*make run"):
        export(settings, wanted())


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every write of DuckDB fail as on a full disk."""

    def copy(*_: object) -> None:
        raise duckdb.IOException("IO Error: Could not write all bytes to file: No space left on device")

    monkeypatch.setattr("orchestration.lib.export.export._Connection.copy", copy)
    yield


def test_a_full_disk_is_named_and_the_file_before_stays(settings: Settings, tmp_path: Path, full_disk: None) -> None:
    out = tmp_path / "log.csv"
    out.write_text("the file before")

    with pytest.raises(Problem, match="The disk that holds .* is full. Free space, or name a file elsewhere"):
        export(settings, wanted(out=out))

    assert out.read_text() == "the file before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "log.csv"]


def test_a_folder_that_may_not_be_written_is_named(settings: Settings) -> None:
    # Not even root may make a file there.
    with pytest.raises(Problem, match="Nothing can be written into /sys"):
        export(settings, wanted(out=Path("/sys/log.csv")))
