"""Dagster as in production: the daemon as a service, its state in PostgreSQL, a run from a tick of the schedule."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]

from orchestration.lib.monitoring.health import read_last_run
from orchestration.lib.settings import PROJECT_ROOT
from orchestration.lib.warehouse.published import open_published
from tests.postgresql import postgresql

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "deploy" / "docker-compose.yml").read_text())


def wait_until(holds: Callable[[], bool], service: subprocess.Popen[bytes], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert service.poll() is None, "the service ended"
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)


@pytest.mark.slow
def test_the_daemon_runs_the_job_from_a_tick_of_the_schedule_with_its_state_in_postgresql(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = tmp_path / "landing"
    (landing / "acme" / "events").mkdir(parents=True)
    (landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    event = {"event_id": "1", "event_type": "added", "occurred_at": "2026-03-01T12:00Z", "contact_id": 1}
    (landing / "acme" / "events" / "1.jsonl").write_text(json.dumps(event) + "\n")
    data, bin_folder = data_folder, Path(sys.executable).parent
    with postgresql() as address:
        for variable, value in {
            "DATA": str(data),
            "LANDING": str(landing),
            "SCHEDULE": "* * * * *",
            "DAGSTER_HOME": "deploy",
            "DAGSTER_POSTGRES": address,
            "DAGSTER": str(data / "dagster"),
        }.items():
            monkeypatch.setenv(f"CONTACT_REPORTS_{variable}", value)
        with (
            (tmp_path / "log").open("wb") as log,
            subprocess.Popen(
                [sys.executable, "-m", "orchestration", "daemon"],
                cwd=PROJECT_ROOT,
                env=dict(os.environ),
                stdout=log,
                stderr=log,
                start_new_session=True,
            ) as daemon,
        ):
            try:
                wait_until(lambda: bool((run := read_last_run(data)) and run.ended_at), daemon, 240)
                watched = COMPOSE["services"]["daemon"]["healthcheck"]["test"]
                healthy = [part.replace("/opt/contact-reports", str(PROJECT_ROOT)) for part in watched[1:]]
                healthy = [part.replace("/data/", f"{data}/") for part in healthy]
                subprocess.run(healthy, check=True, env=os.environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}"})
            except AssertionError:
                print((tmp_path / "log").read_text())
                raise
            finally:
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(60)
                # As systemd does with what a service leaves behind: the code server does not end without PostgreSQL.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(daemon.pid, signal.SIGKILL)
        monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT / "deploy"))
        with dg.DagsterInstance.get() as instance:
            assert "postgres" in type(instance.run_storage).__name__.lower()
            # The oldest: another minute may have begun a run meanwhile.
            [*_, run] = instance.get_runs(dg.RunsFilter(tags={"dagster/schedule_name": "contact_reports_schedule"}))
            assert run.tags["contact_reports/started_by"] == "schedule"
            assert instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    last = read_last_run(data)
    assert last is not None and last.problem is None and last.succeeded_at is not None
    with open_published(data / "published" / "contact_reports.duckdb") as connection:
        assert connection.execute("select contact_id from reports.contacts_added_log").fetchall() == [(1,)]
    assert not (data / "dagster" / "history").exists(), "nothing of Dagster's state is in SQLite"
