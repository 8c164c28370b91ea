"""What may pass is tried again by runs that nobody waits for; what cannot fails at once, as does a person's run."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from orchestration.defs import operating
from orchestration.defs.operating import FETCHES, STARTED_BY, Operation
from orchestration.defs.raw_zone import raw_zone
from orchestration.lib.lock import only_writer
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import export_settings, read_settings

SCHEDULED = {STARTED_BY: "schedule"}
WORKSPACES = b"workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster as dagster.yaml says, on a data folder of its own."""
    before = dict(os.environ)
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CONTACT_REPORTS_LANDING", str(tmp_path / "landing"))
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "workspaces.csv").write_bytes(WORKSPACES)
    monkeypatch.setattr(operating, "RETRY_AFTER_SECONDS", 0.5)
    export_settings(read_settings())
    with dg.DagsterInstance.get() as instance:
        yield instance
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def come_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A landing folder in S3, on a server that is out of reach until this is called."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for variable, value in {
        "CONTACT_REPORTS_LANDING": "s3://bucket/landing",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    s3fs.S3FileSystem.clear_instance_cache()
    servers = []

    def come_back() -> None:
        servers.append(ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False))
        servers[-1].start()

    come_back()
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    files.makedirs("bucket", exist_ok=True)
    files.pipe_file("bucket/landing/workspaces.csv", WORKSPACES)
    servers.pop().stop()
    yield come_back
    for server in servers:
        server.stop()
    s3fs.S3FileSystem.clear_instance_cache()


def execute(instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
    """The first step of a run: the one that the network is needed for."""
    return dg.materialize(
        [raw_zone], instance=instance, resources={"operation": Operation()}, tags=tags, raise_on_error=False
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    said = operating.problem_in(result.all_events)
    assert said is not None
    return said


def retried(result: dg.ExecuteInProcessResult) -> int:
    return sum(event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY for event in result.all_events)


@pytest.mark.slow
def test_a_scheduled_run_that_finds_no_network_tries_again_and_succeeds_when_it_is_back(
    instance: dg.DagsterInstance, come_back: Callable[[], None]
) -> None:
    def come_back_after_the_first_failure() -> None:
        failed = dg.DagsterEventType.STEP_UP_FOR_RETRY
        while not any(instance.all_logs(run.run_id, of_type=failed) for run in instance.get_runs()):
            time.sleep(0.05)
        come_back()

    network = threading.Thread(target=come_back_after_the_first_failure, daemon=True)
    network.start()
    result = execute(instance, **SCHEDULED)
    network.join(10)
    assert result.success, failure(result)
    assert retried(result) >= 1
    assert RawZone(read_settings().raw).newest_batch() == 1


@pytest.mark.slow
def test_a_network_that_stays_away_fails_the_run_after_three_more_attempts_and_a_person_is_told_at_once(
    instance: dg.DagsterInstance, come_back: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating, "RETRY_AFTER_SECONDS", 0)
    for tags, retries in ((SCHEDULED, 3), ({}, 0)):
        result = execute(instance, **tags)
        assert failure(result).startswith("The landing folder s3://bucket/landing cannot be listed")
        assert retried(result) == retries


def test_what_somebody_has_to_mend_is_not_tried_again(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_LANDING", str(tmp_path / "nowhere"))
    result = execute(instance, **SCHEDULED)
    assert failure(result).startswith(f"The landing folder {tmp_path / 'nowhere'} does not exist")
    assert retried(result) == 0


def test_a_scheduled_run_waits_for_the_lock_and_one_that_a_person_started_leaves(
    instance: dg.DagsterInstance,
) -> None:
    data, held = read_settings().data, threading.Event()

    def hold(seconds: float) -> None:
        with only_writer(data):
            held.set()
            time.sleep(seconds)

    holder = threading.Thread(target=hold, args=[3])
    holder.start()
    held.wait()
    assert failure(execute(instance)).startswith(f"Another run is writing in {data} (process {os.getpid()} ")
    result = execute(instance, **SCHEDULED)
    holder.join()
    assert result.success, failure(result)


def test_dagster_starts_a_run_again_that_was_killed_and_not_one_that_said_why_it_failed(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = dg.DagsterRun(job_name="contact_reports", tags=SCHEDULED)
    instance.add_run(killed)
    instance.report_run_failed(killed, "The process of this run died")
    monkeypatch.setenv("CONTACT_REPORTS_LANDING", "/nowhere")
    failed = execute(instance, **SCHEDULED)
    will_be = {run.run_id: run.tags.get("dagster/will_retry") for run in instance.get_runs()}
    assert will_be == {killed.run_id: "true", failed.run_id: "false"}


def test_runs_of_schedules_and_sensors_are_those_that_nobody_waits_for() -> None:
    for tags, expected in (({STARTED_BY: "fetch"}, True), ({FETCHES: "acme"}, True), ({"some": "tag"}, False)):
        assert operating.is_unattended(dg.DagsterRun(job_name="contact_reports", tags=tags)) is expected
    assert not operating.is_unattended(None)
