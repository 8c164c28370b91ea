"""The command `export` as a process: what it prints, and how much memory a million rows as a spreadsheet take."""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.settings import PROJECT_ROOT
from tests.memory import most_megabytes_of
from tests.unit.page.small_publication import Event, Small

_MOST_MEGABYTES = 500


def export(data: Path, *arguments: str) -> tuple[int, str, str, float]:
    """Run the command. Returns its exit code, its output, its errors, and the most megabytes it had."""
    out, errors = data / "out", data / "errors"
    with out.open("w") as stdout, errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestration", "export", *arguments],
            cwd=PROJECT_ROOT,
            env={**os.environ, "CONTACT_REPORTS_DATA": str(data)},
            stdout=stdout,
            stderr=stderr,
        )
        megabytes = 0.0
        while process.poll() is None:
            megabytes = max(megabytes, most_megabytes_of(process.pid))
            time.sleep(0.02)
    return process.returncode, out.read_text(), errors.read_text(), megabytes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    published = tmp_path / "published" / "contact_reports.duckdb"
    published.parent.mkdir()
    Small([Event("a")]).publish(published)
    return tmp_path


def test_it_prints_the_file_and_shows_progress_on_standard_error(data: Path) -> None:
    code, out, errors, _ = export(data, "contacts_added_log", "--filter", "workspace=acme", "--format", "xlsx")

    assert (code, out) == (0, f"{data}/exports/contacts_added_log.xlsx\n")
    assert "writing sheets: 100 %" in errors and errors.endswith("] 1 row\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("contacts_aded_log",), "error: There is no view or table function 'contacts_aded_log'"),
        (("contacts_added_log", "--filter", "user"), "error: The filter 'user' has no value. Write it as name=value"),
        (("contacts_added_log", "--from", "1 May"), "'1 May' is no day. Write it as YYYY-MM-DD"),
        (("contacts_added_log", "--format", "ods"), "'ods' is not one of 'csv', 'xlsx', 'parquet'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(data: Path, arguments: tuple[str, ...], words: str) -> None:
    code, out, errors, _ = export(data, *arguments)

    assert code != 0 and out == ""
    assert words in errors and "Traceback" not in errors


@pytest.mark.slow
def test_more_than_a_million_rows_as_xlsx_take_less_than_500_megabytes(data: Path) -> None:
    with duckdb.connect(str(data / "published" / "contact_reports.duckdb")) as connection:
        connection.execute(
            """
            insert into reports.contacts_added_log
            select 'acme', instant, timezone('UTC', instant), timezone('UTC', instant)::date, 100_000_000 + i,
                'Contact number ' || i, 'user', 'User', (i % 50)::varchar, 'User ' || i % 50, md5(i::varchar), 'events'
            from (
                select i, timestamptz '2026-01-01 00:00:00Z' + to_seconds(i * 3) as instant
                from range(1_100_000) as r (i)
            )"""
        )

    code, out, errors, megabytes = export(data, "contacts_added_log", "--format", "xlsx")

    assert code == 0, errors
    assert [Path(line).name for line in out.splitlines()] == ["contacts_added_log_1.xlsx", "contacts_added_log_2.xlsx"]
    assert "a sheet has at most 1,048,575 rows, so these are 2 files" in errors
    assert sum(_rows_of(Path(line)) for line in out.splitlines()) == 1_100_001 + 2
    print(f"{megabytes:.0f} MB")
    assert megabytes < _MOST_MEGABYTES


def _rows_of(path: Path) -> int:
    """The rows of a sheet, its header among them."""
    rows, end = 0, b""
    with zipfile.ZipFile(path) as archive, archive.open("xl/worksheets/sheet1.xml") as sheet:
        while block := sheet.read(1 << 20):
            rows += (end + block).count(b"</row>")
            end = block[-len(b"/row>") :]
    return rows
