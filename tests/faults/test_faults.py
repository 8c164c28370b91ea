"""What breaks around a run, or was broken before it: what is said, that nothing is lost, and what brings it back."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.lib import extract, warehouse
from orchestration.lib.lock import only_writer
from orchestration.lib.pipeline import load_landing
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone import RawZone
from orchestration.lib.settings import PROJECT_ROOT
from orchestration.lib.verify import verify
from tests.harness import Pipeline

ADDED = "select contact_id from reports.contacts_added_log order by all"
# In a namespace of its own: only the command sees it.
MOUNTING_READ_ONLY = ("sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"')
HEADER = "event_id,event_type,occurred_at,contact_id\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two batches and their publication, to be copied."""
    pipeline = Pipeline(tmp_path_factory.mktemp("built") / "data")
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    land(pipeline, 1)
    load_landing(pipeline.settings)
    land(pipeline, 2)
    pipeline.run()
    return pipeline.settings.data


@pytest.fixture
def pipeline(built: Path) -> Pipeline:
    """The same at the same place, as it was: dbt parses anew in another one."""
    kept = built.with_name("kept")
    if not kept.exists():
        shutil.copytree(built, kept)
    for folder in ("landing", "raw", "published", "warehouse", "cache"):
        shutil.rmtree(built / folder, ignore_errors=True)
        shutil.copytree(kept / folder, built / folder)
    return Pipeline(built)


def land(pipeline: Pipeline, number: int) -> None:
    folder = pipeline.landing / "acme" / "events"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.csv").write_text(f"{HEADER}{number},added,2026-03-01T12:00:00Z,{number}\n")


def batch(pipeline: Pipeline, number: int) -> Path:
    """The folder of a batch."""
    return pipeline.settings.raw / f"batch_id={number}"


def start(
    pipeline: Pipeline, *, prefix: tuple[str, ...] = (), before: Callable[[], None] | None = None, command: str = "run"
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "orchestration", command],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CONTACT_REPORTS_DATA": str(pipeline.settings.data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    )


def error_of(process: subprocess.Popen[str]) -> str:
    """The one line of a command that failed, without harm to the publication."""
    said = process.communicate()[1]
    assert process.returncode != 0, said
    assert "Traceback" not in said
    (line,) = (line for line in said.splitlines() if line.startswith("error: "))
    return line


def overwrite_in_the_middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(512))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def make_older(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table intermediate.build_state drop column contents")


def make_unknown(path: Path) -> None:
    path.unlink()
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table something (else_altogether integer)")


@pytest.mark.slow
@pytest.mark.parametrize("damage", [overwrite_in_the_middle, truncate, make_older, make_unknown])
def test_a_publication_that_is_damaged_or_of_another_layout_is_to_be_rebuilt_though_nothing_is_new(
    pipeline: Pipeline, damage: Callable[[Path], None]
) -> None:
    assert warehouse.plan(pipeline.settings).nothing_to_do
    damage(pipeline.settings.published)
    todo = warehouse.plan(pipeline.settings)
    assert todo.rebuild
    assert todo.reason == "the published file is damaged or of another layout"


@pytest.mark.slow
def test_a_publication_that_a_disk_damaged_is_rebuilt_by_the_next_run(pipeline: Pipeline) -> None:
    overwrite_in_the_middle(pipeline.settings.published)
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,)]


@pytest.mark.slow
def test_rows_that_somebody_changed_are_found_by_verify_and_mended_by_the_next_run_that_has_something_to_do(
    pipeline: Pipeline,
) -> None:
    with duckdb.connect(str(pipeline.settings.published)) as connection:
        connection.execute("delete from marts.fct_contacts_added where contact_id = 1")
        connection.execute("update marts.agg_contacts_daily set contacts = 7")
        connection.execute("create or replace view reports.sources as select 1 as source")
    before = pipeline.settings.published.read_bytes()
    differences = "\n".join(verify(pipeline.settings).differences)
    assert "marts.fct_contacts_added: 1 rows missing" in differences
    assert '"contact_id":1' in differences
    assert "marts.agg_contacts_daily: 1 rows too many" in differences
    assert "reports.sources: is not defined as it should be" in differences
    assert "dim_contact" not in differences
    assert pipeline.settings.published.read_bytes() == before
    land(pipeline, 3)
    run = start(pipeline)
    said = run.communicate()[1]
    assert run.returncode == 0, said
    assert "building everything from the raw zone: what was published could not be continued" in said
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]


@pytest.mark.slow
def test_rebuild_builds_what_was_loaded_and_names_the_days_that_changed(pipeline: Pipeline) -> None:
    with duckdb.connect(str(pipeline.settings.published)) as connection:
        connection.execute("delete from marts.fct_contacts_added where contact_id = 1")
    land(pipeline, 3)
    run = start(pipeline, command="rebuild")
    printed, said = run.communicate()
    assert run.returncode == 0, said
    assert "building everything from the raw zone: a rebuild was asked for" in said
    assert "acme 2026-03-01: 1 events before, 2 now\ndays that changed in all: 1\n" in printed
    assert pipeline.query(ADDED) == [(1,), (2,)]


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
    assert f"Another run is writing in {pipeline.settings.data} (process {first.pid} on " in error_of(start(pipeline))
    (dbt,) = (child for child in children(first.pid) if "dbt_child" in Path(f"/proc/{child}/cmdline").read_text())
    first.send_signal(signal.SIGTERM)
    assert "Stopped before it was done. Nothing is lost: run it again" in error_of(first)
    assert not Path(f"/proc/{dbt}").exists()
    assert not holder.exists()
    assert pipeline.query(ADDED) == [(1,), (2,)]
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]


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
