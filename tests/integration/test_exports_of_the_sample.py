"""Exports of the sample: the commands of docs/spreadsheets.md, and what a view and a report refuse alike."""

import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.export.export import Wanted, export
from orchestration.lib.problems import Problem
from orchestration.lib.settings import PROJECT_ROOT, Settings
from tests.harness import Pipeline

pytestmark = pytest.mark.slow

PAGE = (PROJECT_ROOT / "docs" / "spreadsheets.md").read_text()
COMMANDS = [
    command
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for command in block.replace("\\\n", "").splitlines()
]


@pytest.fixture
def settings(sample: Pipeline, tmp_path: Path) -> Settings:
    """The settings of a data folder with a copy of the publication of the sample."""
    settings = sample.settings.model_copy(update={"data": tmp_path / "data"})
    settings.published.parent.mkdir(parents=True)
    shutil.copy(sample.settings.published, settings.published)
    return settings


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_writes_rows(settings: Settings, tmp_path: Path, command: str) -> None:
    # The environment is complete. Nothing is installed from within a test.
    command = command.replace("make export", "make --silent --assume-old=.venv/installed export")
    done = subprocess.run(
        ["sh", "-c", command.replace("/tmp/", f"{tmp_path}/")],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CONTACT_REPORTS_DATA": str(settings.data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\] [1-9][0-9,]* rows\n$", done.stderr), done.stderr
    assert Path(done.stdout.strip()).stat().st_size > 0


DAYS = (date(2026, 1, 1), date(2026, 1, 31))


@pytest.mark.parametrize(
    ("days", "filters"),
    [
        (DAYS[::-1], []),
        (DAYS, [("workspace", "acme")]),
        (DAYS, [("source", "user"), ("source", "zappier")]),
    ],
)
def test_a_view_refuses_what_its_report_refuses_with_the_same_words(
    settings: Settings, days: tuple[date, date], filters: list[tuple[str, str]]
) -> None:
    refusals = set()
    for name in ("contacts_added_log", "contacts_added_log_between"):
        with pytest.raises(Problem) as refused:
            export(settings, Wanted(name, *days, filters))
        refusals.add(str(refused.value).removeprefix(f"{name}: "))
    assert len(refusals) == 1


def test_a_copy_of_another_name_is_attached_under_the_name_of_the_publication(
    settings: Settings, tmp_path: Path
) -> None:
    copy = shutil.copy(settings.published, tmp_path / "copy.duckdb")
    asked = "select count(*) from reports.contacts_added_log"
    of_another_name = pytest.raises(duckdb.BinderException, match='Catalog "contact_reports" does not exist!')
    with duckdb.connect(str(copy), read_only=True) as connection, of_another_name:
        connection.execute(asked)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{copy}' as contact_reports (read_only)")
        connection.execute("use contact_reports")
        assert connection.execute(asked).fetchall()[0][0] > 0
