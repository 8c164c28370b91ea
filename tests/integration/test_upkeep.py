"""The sensor that keeps Dagster's storage in order, on the storage of a single machine."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import pytest

from orchestration.defs import upkeep
from orchestration.defs.operating import STARTED_BY
from orchestration.lib.lock import is_held, only_writer

DAY = timedelta(days=1)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path / "data"))
    for folder in ("data", "dagster"):
        (tmp_path / folder).mkdir()
    no_telemetry = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster"), overrides=no_telemetry) as instance:
        yield instance


def run(instance: dg.DagsterInstance, job_name: str = "contact_reports") -> str:
    """A run that succeeds, and says something."""

    @dg.op(name="step")
    def step() -> None:
        print("something")

    @dg.job(name=job_name)
    def job() -> None:
        step()

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return job.execute_in_process(instance=instance, run_config=quiet).run_id


def begun(instance: dg.DagsterInstance, **tags: str) -> str:
    """A run that began, as far as Dagster knows, and of which nothing was heard since."""
    run = dg.DagsterRun(job_name="contact_reports", run_id=str(uuid.uuid4()), tags=tags)
    instance.add_run(run)
    instance.report_dagster_event(
        dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name=run.job_name), run.run_id
    )
    return run.run_id


def look(instance: dg.DagsterInstance, cursor: str | None = None, *, later: timedelta = timedelta(0)) -> str | None:
    with patch.object(upkeep, "datetime", wraps=datetime) as clock:
        clock.now.return_value = datetime.now(UTC) + later
        result = upkeep.upkeep_sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result.cursor


def test_runs_are_deleted_with_their_events_when_they_are_older_than_they_are_kept(
    instance: dg.DagsterInstance,
) -> None:
    run_ids = [run(instance, job_name) for job_name in ("contact_reports", "full_rebuild")]
    look(instance, later=89 * DAY)
    assert None not in [instance.get_run_by_id(run_id) for run_id in run_ids]
    look(instance, later=91 * DAY)
    for run_id in run_ids:
        assert instance.get_run_by_id(run_id) is None
        assert not instance.all_logs(run_id)


def test_the_days_that_were_fetched_are_not_forgotten(instance: dg.DagsterInstance) -> None:
    run_id = run(instance, "respond_io_api")
    look(instance, later=91 * DAY)
    assert instance.get_run_by_id(run_id) is not None


def test_how_long_runs_are_kept_is_a_setting(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_RUNS_KEPT_DAYS", "7")
    run_id = run(instance)
    look(instance, later=8 * DAY)
    assert instance.get_run_by_id(run_id) is None


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status


def test_a_run_whose_process_died_is_ended_so_that_others_can_begin(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    killed, by_hand = begun(instance, **{STARTED_BY: "schedule"}), begun(instance)
    cursor = look(instance, later=timedelta(minutes=1))
    cursor = look(instance, cursor, later=timedelta(minutes=3))
    assert status(instance, killed) == dg.DagsterRunStatus.STARTED, "once may be the moment between two runs"
    with only_writer(tmp_path / "data"):
        held = look(instance, cursor, later=timedelta(minutes=4))
        assert status(instance, killed) == dg.DagsterRunStatus.STARTED, "somebody holds the lock"
    cursor = look(instance, held, later=timedelta(minutes=5))
    look(instance, cursor, later=timedelta(minutes=6))
    assert status(instance, killed) == dg.DagsterRunStatus.FAILURE
    assert status(instance, by_hand) == dg.DagsterRunStatus.STARTED, "of these nobody waits for the end"


def test_a_scheduled_run_waits_for_the_one_that_writes_and_a_command_does_not(tmp_path: Path) -> None:
    free = threading.Event()

    def hold() -> None:
        with only_writer(tmp_path):
            free.set()
            time.sleep(0.5)

    holder = threading.Thread(target=hold)
    holder.start()
    free.wait()
    assert is_held(tmp_path)
    with only_writer(tmp_path, patience=30):
        pass
    holder.join()
    assert not is_held(tmp_path)
