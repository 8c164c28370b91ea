"""The lake follows the published file in a run, and catches up by itself after it could not be reached."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.lib.settings import PROJECT_ROOT, export_settings, read_settings
from tests.lake_by_hand import a_lake

pytestmark = pytest.mark.slow

ASSET = dg.AssetKey(["published", "lake"])
CHECK = dg.AssetCheckKey(ASSET, "it_equals_the_file")


@pytest.fixture
def environment(data_folder: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("CONTACT_REPORTS", "DBT"))]:
        del os.environ[name]
    os.environ |= {
        "CONTACT_REPORTS_DATA": str(data_folder),
        "CONTACT_REPORTS_LAKE": str(tmp_path / "disk" / "lake"),
    }
    yield dict(os.environ)
    os.environ.clear()
    os.environ.update(before)


def run(environment: dict[str, str], command_name: str = "run") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration", command_name]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_lake_follows_and_catches_up_after_it_was_away(
    data_folder: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    published = data_folder / "published" / "contact_reports.duckdb"
    lake = a_lake(tmp_path / "disk" / "lake")

    away = run(environment)
    assert away.returncode != 0
    (error,) = re.findall(r"^error: .*", away.stderr, flags=re.MULTILINE)
    assert f"The folder of the lake, {lake.target}, does not exist" in error
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.sql("from reports.contacts_added_log").fetchone() is not None, "the file's publication stands"
    before = published.stat()

    (tmp_path / "disk").mkdir()
    back = run(environment)
    assert back.returncode == 0, back.stderr
    assert "no new data; publishing lake: it was never published" in back.stderr
    assert lake.differences(published) == []
    assert published.stat().st_mtime_ns == before.st_mtime_ns, "the file is as it was"

    commits = sorted(Path(lake.target).glob("*/*/_delta_log/*"))
    idle = run(environment)
    assert idle.returncode == 0, idle.stderr
    assert "no new data; up to date: published file, lake" in idle.stderr
    assert sorted(Path(lake.target).glob("*/*/_delta_log/*")) == commits

    export_settings(read_settings())
    with dg.DagsterInstance.get() as instance:
        event = instance.get_latest_materialization_event(ASSET)
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key([CHECK])
    assert event is not None and event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert int(str(metadata["rows_moved"].value)) == int(str(metadata["dagster/row_count"].value)) > 100_000
    evaluation = checks[CHECK].evaluation
    assert isinstance(evaluation, dg.AssetCheckEvaluation) and evaluation.passed

    assert run(environment, "status").stdout.splitlines()[-1].startswith("lake          published")
    shutil.rmtree(lake.target)
    removed = run(environment, "status")
    assert removed.returncode == 1
    assert "BEHIND        lake: what was published there is missing" in removed.stdout
    again = run(environment)
    assert again.returncode == 0, again.stderr
    assert lake.differences(published) == []
