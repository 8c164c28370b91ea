"""Names of files and workspaces that would act upon a terminal or forge a line: nothing that is printed has them."""

import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.lib.settings import PROJECT_ROOT

# A title for the window, a colour, an erased screen (as C0 and as C1), a reversed direction, line ends of all kinds.
EVIL = "\x1b]0;owned\x07\x1b[31m\x1b[2J\x9b2J\x7f\x08\u202egnp\u2066\u2028\x85"
FORGED = "x\nerror: forged\r"
RAW = [character.encode() for character in EVIL if not character.isprintable() and character != "\x1b"]
RAW += [b"\x1b]", b"\x1b[2J", b"\r", b"\nerror: forged"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, data_folder_of_the_module: Path) -> dict[str, str]:
    base = tmp_path_factory.mktemp("names")
    landing = base / "landing"
    event = {"event_id": "1", "event_type": "added", "occurred_at": "2026-03-01T12:00:00Z", "contact_id": 1}
    for workspace in ("acme", f"listed{EVIL}", f"unlisted{EVIL}"):
        for kind in ("events", "report_logs"):
            (landing / workspace / kind).mkdir(parents=True)
        (landing / workspace / "events" / f"{EVIL}.jsonl").write_text(json.dumps(event) + "\n{\n")
        (landing / workspace / "report_logs" / f"contacts-added{EVIL}.csv").write_text("a,b\n1,2\n")
        (landing / workspace / "events" / f"{FORGED}{EVIL}.parquet").write_text("nothing")
        (landing / workspace / "events" / f"{EVIL}.jsonl.gz").write_bytes(gzip.compress(b"{}")[:-4])
        (landing / workspace / f"odd{EVIL}").mkdir()
    (landing / f"{FORGED}{EVIL}.txt").touch()
    (landing / "workspaces.csv").write_text(
        "workspace_id,workspace_name,timezone\n"
        f'acme,"Acme {EVIL}",Europe/Paris\n'
        f'"listed{EVIL}",{FORGED.strip()!r},UTC\n'
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONTACT_REPORTS", "DBT"))}
    return kept | {
        "CONTACT_REPORTS_DATA": str(data_folder_of_the_module),
        "CONTACT_REPORTS_LANDING": str(landing),
        "COLUMNS": "500",
    }


def said_by(environment: dict[str, str], *arguments: str) -> tuple[int, bytes]:
    """The exit code of a command, and what it prints where there is no terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", *arguments],
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout


def said_on_a_terminal(environment: dict[str, str], *arguments: str) -> bytes:
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "orchestration", *arguments],
        cwd=PROJECT_ROOT,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)

    def received() -> Iterator[bytes]:
        while True:
            try:
                yield os.read(ours, 65536)
            except OSError:  # Linux says so at the end.
                return

    said = b"".join(received())
    os.close(ours)
    assert command.wait() == 0, said.decode(errors="replace")
    # The terminal's own line ends and the moves of the progress bars are no name's.
    return said.replace(b"\r\n", b"\n").replace(b"\r\x1b[2K", b"").replace(b"\x1b[1A\x1b[2K", b"")


def assert_clean(said: bytes) -> None:
    said.decode()
    for raw in RAW:
        assert raw not in said, (raw, said[max(0, said.index(raw) - 200) :][:300])


@pytest.mark.slow
def test_no_command_prints_them_and_no_log_has_them(environment: dict[str, str]) -> None:
    code, said = said_by(environment, "run")
    assert code == 0, said.decode(errors="replace")
    assert_clean(said)
    assert b"\x1b" not in said
    for shown in (rb"odd\x1b]0;owned\x07\x1b[31m", rb"\u202egnp", rb"x\nerror: forged", rb"Acme \x1b]0"):
        assert shown in said, shown
    _, said = said_by(environment, "status")
    assert_clean(said)
    assert rb"workspace unlisted\x1b]0" in said
    assert_clean(said_on_a_terminal(environment, "run"))
    logs = [path for path in (Path(environment["CONTACT_REPORTS_DATA"]) / "logs").rglob("*") if path.is_file()]
    for path in logs:
        assert_clean(path.read_bytes())
    # The second run's log is beside that of the first.
    (run_log,) = (path for path in logs if path.name == "run.log")
    assert run_log.read_text().count("--- 2") == 2


@pytest.mark.slow
def test_an_error_names_them_escaped_on_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    (landing / "workspaces.csv").write_text(f'workspace_id,workspace_name,timezone\nacme,Acme,"Mars{EVIL}"\n')
    code, said = said_by(environment | {"CONTACT_REPORTS_LANDING": str(landing)}, "run")
    assert code == 1
    assert_clean(said)
    assert rb"Mars\x1b]0;owned\x07" in said
