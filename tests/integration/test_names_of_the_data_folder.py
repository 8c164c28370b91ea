"""A data folder of any name: everything works in it, and what is printed of it is its name, and can be pasted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.lib.settings import PROJECT_ROOT

NAME = """it's "a" [x] [bold] {y} {{z}} ? 100%s $HOME `id` #1 & *"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CONTACT_REPORTS", "DBT"))}
    private = tmp_path / "private"
    private.mkdir()
    return others | {"CONTACT_REPORTS_DATA": str(tmp_path / NAME / "data"), "TMPDIR": str(private)}


@pytest.mark.slow
def test_everything_works_in_a_data_folder_of_any_name(tmp_path: Path, environment: dict[str, str]) -> None:
    data = tmp_path / NAME / "data"
    events = data / "landing" / "acme" / "events"
    events.mkdir(parents=True)
    workspaces = data / "landing" / "workspaces.csv"
    workspaces.write_text("workspace_id,workspace_name,timezone\nacme,Acme,UTC\nbrio,Brio,UTC\n")

    def land(workspace: str, number: int) -> None:
        file = data / "landing" / workspace / "events" / f"{number}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"event_id,event_type,occurred_at,contact_id\n{number},added,2026-03-01T12:00:00Z,{number}\n")

    def do(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "orchestration", *command],
            cwd=PROJECT_ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    land("acme", 1)
    land("brio", 2)
    first = do("run")
    published = data / "published" / "contact_reports.duckdb"
    assert f"published  {published}\n" in first
    (query,) = (line.removeprefix("query it   ") for line in first.splitlines() if line.startswith("query it"))
    # Pasted into a shell, in a repository that `make run` installed.
    pasted = query.replace(".venv/bin/python", sys.executable)
    pasted = pasted.replace(
        "from reports.contacts_added_by_source where report_date = current_date - 1", "select 7 as n"
    )
    answer = subprocess.run(["sh", "-c", pasted], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "7" in answer.stdout

    land("acme", 3)
    do("run")
    workspaces.write_text("workspace_id,workspace_name,timezone\nacme,Acme,UTC\n")
    third = do("run")
    assert "warning: new rejects: 1 of workspace brio (unknown_workspace). See quality.rejected_records" in third
    assert "no difference" in do("verify")
    status = subprocess.run(
        [sys.executable, "-m", "orchestration", "status"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "3 landed, 2 standing" in status.stdout, status.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name != "private"] == [NAME], "nothing is beside it"
    assert {path.name for path in (tmp_path / NAME).iterdir()} == {"data"}
