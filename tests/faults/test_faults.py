"""What breaks around a run, or was broken before it: what is said, that nothing is lost, and what brings it back."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from benchmarks.generate import write_landing
from orchestration.lib.dbt import project as dbt
from orchestration.lib.extraction import extract
from orchestration.lib.lock import only_writer
from orchestration.lib.pipeline import load_landing
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import PROJECT_ROOT
from orchestration.lib.warehouse import build as warehouse
from tests.faults.commands import ADDED, error_of, land, start, truncate
from tests.harness import Pipeline

# In a namespace of its own: only the command sees it.
MOUNTING_READ_ONLY = ("sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"')


def batch(pipeline: Pipeline, number: int) -> Path:
    """The folder of a batch."""
    return RawZone(pipeline.settings.raw).folder_of(number)


@pytest.mark.slow
def test_a_truncated_file_of_the_raw_zone_is_named_and_its_batch_can_be_loaded_again(pipeline: Pipeline) -> None:
    (broken,) = batch(pipeline, 1).glob("events-*.parquet")
    truncate(broken)
    publication = pipeline.settings.published.read_bytes()
    line = error_of(start(pipeline))
    assert f"The raw zone is damaged: {broken} cannot be read" in line
    assert f"delete the folder {broken.parent} and run again" in line
    assert pipeline.settings.published.read_bytes() == publication
    shutil.rmtree(broken.parent)
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,)]


@pytest.mark.slow
def test_a_newest_batch_that_is_deleted_and_loaded_again_is_not_taken_for_the_one_that_was_published(
    pipeline: Pipeline,
) -> None:
    shutil.rmtree(batch(pipeline, 2))
    assert warehouse.plan(pipeline.settings).rebuild
    land(pipeline, 9)
    RawZone(pipeline.settings.raw).prepare()
    assert load_landing(pipeline.settings).batch_id == 2
    assert warehouse.plan(pipeline.settings).rebuild


@pytest.mark.slow
def test_a_published_folder_that_cannot_be_written_is_named_before_anything_is_built(pipeline: Pipeline) -> None:
    land(pipeline, 3)
    folder, publication = pipeline.settings.published.parent, pipeline.settings.published.read_bytes()
    line = error_of(start(pipeline, prefix=("unshare", "--map-root-user", "--mount", *MOUNTING_READ_ONLY, str(folder))))
    assert f"{folder} cannot be written" in line
    assert not pipeline.settings.warehouse.exists()
    assert pipeline.settings.published.read_bytes() == publication


@pytest.mark.slow
def test_a_run_with_too_little_memory_says_so_and_the_next_one_with_enough_is_whole(pipeline: Pipeline) -> None:
    land(pipeline, 3)

    def allow_little_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))

    assert "not enough memory" in error_of(start(pipeline, before=allow_little_memory))
    assert pipeline.query(ADDED) == [(1,), (2,)]
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]


@pytest.mark.slow
def test_a_limit_of_memory_that_is_too_low_is_kept_and_named(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(pipeline, 3)
    with monkeypatch.context() as patch:
        patch.setenv("CONTACT_REPORTS_MEMORY_LIMIT", "1MB")
        line = error_of(start(pipeline))
    assert "not enough memory" in line
    assert "raise CONTACT_REPORTS_MEMORY_LIMIT" in line
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]


@pytest.mark.slow
def test_what_does_not_fit_into_memory_goes_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(tmp_path)
    write_landing(pipeline.landing, 300_000)
    monkeypatch.setenv("CONTACT_REPORTS_MEMORY_LIMIT", "160MB")
    run, spilt = start(pipeline), False
    while run.poll() is None:
        spilt |= any(pipeline.settings.spill.glob("*"))
        time.sleep(0.05)
    said = run.communicate()[1]
    assert run.returncode == 0, said
    assert spilt
    assert not pipeline.settings.spill.exists()
    assert pipeline.query("select sum(records_landed) from quality.load_balance where route = 'events'") == [(300_000,)]


@pytest.mark.slow
def test_a_second_run_leaves_and_names_the_first_and_one_that_is_stopped_leaves_nothing_behind(
    pipeline: Pipeline,
) -> None:
    holder = pipeline.settings.data / "run.holder"
    holder.write_text("process 1 on a machine that lost its power")
    land(pipeline, 3)
    first = start(pipeline)
    while not pipeline.settings.warehouse.exists():
        assert first.poll() is None, first.communicate()[1]
        time.sleep(0.01)
    (child,) = (child for child in children(first.pid) if "dbt_child" in Path(f"/proc/{child}/cmdline").read_text())
    # What is left of the first run would be done before the second one has started.
    os.kill(int(child), signal.SIGSTOP)
    assert f"Another run is writing in {pipeline.settings.data} (process {first.pid} on " in error_of(start(pipeline))
    os.kill(int(child), signal.SIGCONT)
    first.send_signal(signal.SIGTERM)
    assert "Stopped before it was done. Nothing is lost: run it again" in error_of(first)
    assert not Path(f"/proc/{child}").exists()
    assert not holder.exists()
    assert pipeline.query(ADDED) == [(1,), (2,)]
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]


def test_dbt_goes_without_a_word_when_it_is_stopped_while_it_is_being_imported() -> None:
    command = [sys.executable, "-m", "orchestration.lib.dbt.child", str(os.getpid())]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, cwd=PROJECT_ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    while "site-packages" not in Path(f"/proc/{child.pid}/maps").read_text():
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    assert child.communicate() == ("", "")
    assert child.returncode == -signal.SIGINT


def test_dbt_that_got_ready_goes_by_itself_when_nobody_needs_it_any_more(pipeline: Pipeline) -> None:
    dbt.get_ready(pipeline.settings)
    waiting = dbt._waiting.pop()
    assert b"ConcurrencyLine" in waiting.process.communicate()[0]
    assert waiting.process.returncode == 1


def test_a_run_that_builds_nothing_leaves_no_dbt_behind(pipeline: Pipeline) -> None:
    from orchestration.defs.operating import Operation
    from orchestration.defs.raw_zone import raw_zone

    land(pipeline, 3)
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        assert dg.materialize([raw_zone], instance=instance, resources={"operation": Operation()}).success
    assert batch(pipeline, 2).exists()
    assert not [child for child in children(os.getpid()) if "dbt_child" in Path(f"/proc/{child}/cmdline").read_text()]


@pytest.mark.parametrize("other", ["data folder", "arguments"])
def test_dbt_that_got_ready_for_something_else_is_not_used(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    dbt.get_ready(pipeline.settings)
    (waiting,) = dbt._waiting
    if other == "data folder":
        monkeypatch.setenv("CONTACT_REPORTS_WAREHOUSE", str(pipeline.settings.data / "elsewhere.duckdb"))

    def fail() -> None:
        raise PermissionError("no place for a warehouse")

    with pytest.raises(PermissionError):
        dbt.start(dbt.build_arguments(rebuild=other == "arguments"), meanwhile=fail)
    with dbt._started.pop() as started:
        assert started.stdout is not None
        started.stdout.read()
    assert started.pid != waiting.process.pid
    assert waiting.process.returncode == -signal.SIGKILL
    assert dbt._waiting == []


def test_dbt_opens_no_warehouse_before_it_is_prepared_and_leaves_when_it_cannot_be(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    settings.warehouse.unlink(missing_ok=True)

    def fail_when_dbt_waits() -> None:
        output = dbt._started[-1].stdout
        assert output is not None
        while b"ConcurrencyLine" not in (line := output.readline()):
            assert line
        # Who opens it makes it.
        time.sleep(0.5)
        assert not settings.warehouse.exists()
        raise PermissionError("no place for a warehouse")

    dbt.get_ready(settings)
    with pytest.raises(PermissionError, match="no place for a warehouse"):
        dbt.start(dbt.build_arguments(rebuild=False), meanwhile=fail_when_dbt_waits)
    with dbt._started.pop() as process:
        assert process.stdout is not None
        process.stdout.read()
    assert process.returncode == 1
    assert not settings.warehouse.exists()


def children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def test_a_holder_that_died_is_no_obstacle(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        with only_writer(tmp_path):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert f"process {child} " in (tmp_path / "run.holder").read_text()
    with only_writer(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / "run.holder").read_text()


@pytest.mark.slow
def test_a_clock_that_was_set_back_loads_nothing_until_it_is_right(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(pipeline, 3)
    with monkeypatch.context() as patch:
        patch.setattr(extract, "datetime", clock_of(datetime.now(UTC) - timedelta(days=400)))
        with pytest.raises(Problem, match=r"The clock says .* but batch 2 was loaded at .*\. Set the clock right"):
            pipeline.run()
    with monkeypatch.context() as patch:
        patch.setattr(extract, "datetime", clock_of(datetime.now(UTC) - timedelta(hours=23)))
        pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]


def clock_of(moment: datetime) -> type[datetime]:
    """A clock that stands; the machine's own cannot be moved without harm to others."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return moment

    return Clock
