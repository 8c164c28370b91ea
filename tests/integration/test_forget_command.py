"""`make forget`, as an operator starts it: what it says, what logs and Dagster keep of it, what follows by itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.lib.settings import PROJECT_ROOT
from tests.erasure import CONTACT, NEEDLES, WORKSPACE, land_the_contact, traces
from tests.harness import Pipeline
from tests.lake_by_hand import a_lake

pytestmark = pytest.mark.slow


def command(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "orchestration", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ
        | {
            "CONTACT_REPORTS_DATA": str(data),
            "CONTACT_REPORTS_LAKE": str(data / "lake"),
            "CONTACT_REPORTS_MASK_KEY": "0123456789abcdef" * 2,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_forgets_says_so_and_keeps_nothing_of_the_contact(data_folder: Path) -> None:
    pipeline = Pipeline(data_folder)
    land_the_contact(pipeline)
    first = command(data_folder, "run")
    assert first.returncode == 0, first.stderr
    for title in ("the masked copy", "the lake"):
        assert f"] publishing to {title}\n" in first.stderr
        assert re.search(
            rf"\] published to {title}: [1-9][0-9,]* rows, [1-9][0-9,]* written or deleted\n", first.stderr
        )
    assert traces(data_folder / "published" / "masked", [*NEEDLES, CONTACT]) == []
    # Neither logs nor Dagster ever had it.
    assert not [
        trace
        for trace in traces(data_folder, [*NEEDLES, CONTACT])
        if trace.split("/")[0] not in ("raw", "published", "lake")
    ]
    assert traces(data_folder / "lake", NEEDLES) != []

    wrong = command(data_folder, "forget", "--workspace", WORKSPACE, "--contact", "Zyxonia")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "error: The id of a contact is a positive whole number" in wrong.stderr

    done = command(data_folder, "forget", "--workspace", WORKSPACE, "--contact", CONTACT)
    assert done.returncode == 0, done.stderr
    assert f"Contact {CONTACT} of {WORKSPACE} is forgotten. Records masked now: 21." in done.stdout
    assert "It was merged with 6, 7." in done.stdout
    assert "  acme/events/1.jsonl: lines 1, 3-6\n" in done.stdout
    assert not any(needle in done.stdout + done.stderr for needle in NEEDLES)
    assert traces(data_folder, NEEDLES) == []
    assert a_lake(data_folder / "lake").differences(data_folder / "published" / "contact_reports.duckdb") == []
    kept = {trace.split("/")[0].split(":")[0] for trace in traces(data_folder, [CONTACT])}
    assert kept <= {"raw", "published", "lake", "forgotten_contacts.csv"}, (
        "the id is in no log and in nothing of Dagster's"
    )

    again = command(data_folder, "forget", "--workspace", WORKSPACE, "--contact", f"00{CONTACT}.0")
    assert again.returncode == 0, again.stderr
    assert "is forgotten, as it was before. Records masked now: 0." in again.stdout
    verified = command(data_folder, "verify")
    assert verified.returncode == 0, verified.stderr
    assert re.search(r"\] rebuilding from [1-9]\d* batch(es)? in .*\] rebuilding: 100 %\n", verified.stderr, re.DOTALL)
