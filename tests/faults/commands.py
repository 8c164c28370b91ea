"""What these tests do like an operator: land files, start commands, read what they say."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from orchestration.lib.settings import PROJECT_ROOT
from tests.harness import Pipeline

ADDED = "select contact_id from reports.contacts_added_log order by all"
HEADER = "event_id,event_type,occurred_at,contact_id\n"


def land(pipeline: Pipeline, number: int) -> None:
    folder = pipeline.landing / "acme" / "events"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.csv").write_text(f"{HEADER}{number},added,2026-03-01T12:00:00Z,{number}\n")


def start(
    pipeline: Pipeline, *command: str, prefix: tuple[str, ...] = (), before: Callable[[], None] | None = None
) -> subprocess.Popen[str]:
    """Our command line, `run` unless told, in a process of its own."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "orchestration", *(command or ("run",))],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CONTACT_REPORTS_DATA": str(pipeline.settings.data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    )


def failed(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a command that failed printed, and the one line by which it says why."""
    printed, said = process.communicate()
    assert process.returncode != 0, said
    assert "Traceback" not in said
    (line,) = (line for line in said.splitlines() if line.startswith("error: "))
    return printed, line


def truncate(path: Path) -> None:
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size // 2)
