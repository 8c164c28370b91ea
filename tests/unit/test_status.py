"""`status`: what it prints, whether it fails, its exit code as a cron monitor sees it, and what it does not load."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from orchestration.cli.group import main
from orchestration.lib.extraction.extract import UnreadFiles
from orchestration.lib.lock import only_writer
from orchestration.lib.monitoring.health import (
    note_unread_files,
    note_up_to_date,
    noting_the_run,
    read_health,
    read_last_run,
)
from orchestration.lib.settings import PROJECT_ROOT, read_settings
from orchestration.lib.warehouse.published import open_published
from tests.published_by_hand import publish_by_hand


def status(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["status", *arguments], env={"CONTACT_REPORTS_DATA": str(data)})


def status_of_a_process(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration", "status", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CONTACT_REPORTS_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published" / "contact_reports.duckdb"
    publish_by_hand(path, newest_event_at=datetime.now(UTC) - timedelta(hours=47))
    return path


def an_age(path: Path, hours: float) -> None:
    then = datetime.now(UTC).timestamp() - hours * 3600
    os.utime(path, (then, then))


def test_fresh_data_is_exit_code_0(tmp_path: Path, published: Path) -> None:
    done = status_of_a_process(tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "newest event" in done.stdout
    assert "STALE" not in done.stdout


def test_an_event_older_than_the_option_allows_is_exit_code_1(tmp_path: Path, published: Path) -> None:
    done = status_of_a_process(tmp_path, "--newest-event-within", "46")
    assert done.returncode == 1
    assert "STALE         the data is stale: the newest event happened at" in done.stdout


def test_a_publication_that_no_run_found_up_to_date_is_stale_and_one_that_a_run_did_is_not(
    tmp_path: Path, published: Path
) -> None:
    an_age(published, hours=25)
    assert "no run has succeeded since" in status(tmp_path).stdout
    assert status(tmp_path).exit_code == 1
    assert status(tmp_path, "--published-within", "26").exit_code == 0
    with noting_the_run(tmp_path, lambda: "the landing folder is gone"):
        pass
    assert "last run      failed at" in status(tmp_path).stdout
    assert status(tmp_path).exit_code == 1
    with noting_the_run(tmp_path, lambda: None):
        pass
    assert status(tmp_path).exit_code == 0


def test_a_publication_that_is_behind_is_exit_code_1_unless_a_run_is_under_way(
    tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_LAKE", str(tmp_path / "lake"))
    done = status(tmp_path)
    assert done.exit_code == 1
    assert "BEHIND        lake: it was never published" in done.stdout
    assert "`make run` publishes what is behind" in done.stdout
    with only_writer(tmp_path):
        done = status(tmp_path)
    assert done.exit_code == 0
    assert "BEHIND" not in done.stdout


def test_a_publication_that_cannot_be_reached_is_not_left_to_the_next_run(
    tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = tmp_path / "lake"
    monkeypatch.setenv("CONTACT_REPORTS_LAKE", str(lake))
    note = tmp_path / "cache" / "publications" / "lake.json"
    note.parent.mkdir(parents=True)
    made = published.stat()
    note.write_text(json.dumps([str(lake), f"{made.st_mtime_ns} {made.st_size}", "as it was left"]))
    (lake / "reports" / "contacts_overview").mkdir(parents=True)
    (lake / "reports" / "contacts_overview" / "_delta_log").symlink_to("_delta_log")
    done = status(tmp_path)
    assert done.exit_code == 1
    assert f"BEHIND        lake: The lake {lake} cannot be read or written" in done.stdout
    assert "publishes what is behind" not in done.stdout


def test_without_a_publication_it_is_exit_code_1_and_says_so(tmp_path: Path) -> None:
    done = status(tmp_path)
    assert done.exit_code == 1
    assert "nothing is published yet" in done.stdout
    assert not done.stderr


def test_a_publication_that_cannot_be_read_is_one_line_and_not_a_stack_trace(tmp_path: Path, published: Path) -> None:
    published.write_bytes(b"not a database at all, and long enough to have a header" * 100)
    done = status_of_a_process(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: The publication {published} cannot be read")
    assert len(done.stderr.splitlines()) == 1


def test_rejects_and_gaps_are_listed_and_are_no_reason_to_fail(tmp_path: Path, published: Path) -> None:
    rejects = [("acme", "missing_field"), ("acme", "missing_field")]
    publish_by_hand(published, newest_event_at=datetime.now(UTC), rejects=rejects, gaps=["2026-03-01"])
    done = status(tmp_path)
    assert done.exit_code == 0
    assert "2 in workspace acme: missing_field" in done.stdout
    lines = [line.strip() for line in done.stdout.splitlines()]
    told = "the added log of workspace acme lacks a day: download it from 2026-03-01 to 2026-03-01"
    assert told in lines
    assert "missing days  1" in lines


def test_files_that_were_not_read_are_listed_and_are_no_reason_to_fail(tmp_path: Path, published: Path) -> None:
    assert "unread files" not in status(tmp_path).stdout
    note_unread_files(tmp_path, UnreadFiles(refused=["acme/events/a.parquet is not loaded: it is empty; replace it"]))
    done = status(tmp_path)
    assert done.exit_code == 0
    assert "unread files  1\n              acme/events/a.parquet is not loaded: it is empty; replace it" in done.stdout


def test_what_was_found_up_to_date_without_a_run_is_not_stale(tmp_path: Path, published: Path) -> None:
    an_age(published, hours=25)
    note_up_to_date(tmp_path)
    done = status(tmp_path)
    assert done.exit_code == 0, done.stdout
    assert ", found up to date " in done.stdout


def test_a_run_that_is_killed_is_one_that_has_not_ended(tmp_path: Path) -> None:
    with noting_the_run(tmp_path, lambda: None):
        running = read_last_run(tmp_path)
    assert running is not None
    assert running.ended_at is None
    assert "has not ended" in running.in_words


def test_the_status_needs_neither_dagster_nor_dbt() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import orchestration.__main__"]
    imported = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stderr
    names = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in imported.splitlines()}
    assert "click" in names
    assert not names & {"dagster", "dbt"}


@pytest.mark.parametrize(
    "statement",
    [
        "from read_text('/etc/passwd')",
        "copy (select 1) to '/tmp/contact_reports_escape.csv'",
        "attach '/tmp/contact_reports_escape.duckdb'",
        "load httpfs",
        "set enable_external_access = true",
        "create table reports.anything (a int)",
    ],
)
def test_a_statement_on_the_published_file_reaches_nothing_else(published: Path, statement: str) -> None:
    with open_published(published) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)


UNKNOWN_COLUMNS = "no column of its header is known as occurred_at, contact_id"
UNKNOWN_LOG = "neither the header nor the name of the file says which log it is"


@pytest.mark.parametrize(
    ("name", "reason", "cure"),
    [
        ("contacts-added.csv", UNKNOWN_COLUMNS, "Add the names of its columns"),
        ("contacts-added.xlsx", UNKNOWN_COLUMNS, "or write the English names into its header"),
        ("Bericht.csv", UNKNOWN_LOG, "Rename it so that its name contains contacts-added"),
        ("Bericht.csv", UNKNOWN_LOG, "Then add an empty line at its end: files with unchanged content are skipped"),
        ("Bericht.XLSX", UNKNOWN_LOG, "Then save it again: files with unchanged content are skipped"),
    ],
)
def test_the_cure_of_a_refused_file_fits_its_reason_and_its_format(
    tmp_path: Path, name: str, reason: str, cure: str
) -> None:
    settings = read_settings().model_copy(update={"data": tmp_path})
    publish_by_hand(settings.published, refused=[("acme", f"acme/report_logs/{name}", "Zeit")], reason=reason)

    [line] = read_health(settings).exports["exports_are_recognised"]

    assert line.startswith(f"acme/report_logs/{name} is refused: {reason}. ") and cure in line
    assert reason == UNKNOWN_LOG or "contacts-added" not in line.split(". ")[1], "it advises the name that the file has"
