"""What a second and third run do: nothing twice, nothing of a killed run, everything from the raw zone."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.extraction.extract import extract
from orchestration.lib.landing.listing import Landing
from orchestration.lib.pipeline import _begin_the_sample, _remove_the_sample, explain, load_landing
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.compaction import compact
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import verify as verify_module
from orchestration.lib.warehouse.build import prepare
from orchestration.lib.warehouse.plan import plan
from orchestration.lib.warehouse.publish import publish
from orchestration.sample.sample import write_sample
from tests.harness import Pipeline


def written(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written or replaced, and not when it is read."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('it\'s "a" [x] {y} {{z}} 100%s $a #1 & b')


@pytest.fixture
def pipeline(data: Path) -> Pipeline:
    for folder in ("raw", "published", "warehouse", "landing", "cache", "sample"):
        shutil.rmtree(data / folder, ignore_errors=True)
    pipeline = Pipeline(data)
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    land(pipeline, "1", "added", 1)
    return pipeline


_OF_A_RUN = ("raw", "published", "warehouse", "landing", "cache")


@pytest.fixture
def first_run(data: Path, pipeline: Pipeline) -> None:
    """Restores the state after the first run. Runs it once, as it takes ten seconds."""
    kept = data.with_name("kept")
    if kept.exists():
        for folder in _OF_A_RUN:
            shutil.rmtree(data / folder, ignore_errors=True)
            shutil.copytree(kept / folder, data / folder)
        assert plan(pipeline.settings).nothing_to_do
    else:
        pipeline.run()
        for folder in _OF_A_RUN:
            shutil.copytree(data / folder, kept / folder)


def land_in(landing: Path, event_id: str) -> None:
    (landing / "acme" / "events").mkdir(parents=True)
    (landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    event = f"{event_id},added,2026-03-01T12:00:00Z,1"
    (landing / "acme" / "events" / "1.csv").write_text(f"event_id,event_type,occurred_at,contact_id\n{event}\n")


def land(pipeline: Pipeline, event_id: str, event_type: str, contact_id: int, *, user_id: str = "") -> None:
    folder = pipeline.landing / "acme" / "events"
    folder.mkdir(parents=True, exist_ok=True)
    header = "event_id,event_type,occurred_at,contact_id,source,user_id"
    row = f"{event_id},{event_type},2026-03-01T12:00:00Z,{contact_id},user,{user_id}"
    number = len(list(folder.iterdir()))
    (folder / f"{number:03}.csv").write_text(f"{header}\n{row}\n")


ADDED = "select contact_id from reports.contacts_added_log order by all"


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_run_without_news_touches_neither_warehouse_nor_publication(pipeline: Pipeline) -> None:
    before = written(pipeline.settings.published)
    pipeline.run()
    assert written(pipeline.settings.published) == before
    assert list(pipeline.settings.warehouse.parent.glob("*.duckdb")) == []


@pytest.mark.slow
def test_a_workspace_may_be_called_anything(pipeline: Pipeline) -> None:
    names = ["007", "7", "NULL", "null", "o'neill", "true", "a b", "é"]
    lines = [f"{name},Any,Europe/Paris\n" for name in names]
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\n" + "".join(lines))
    for name in names:
        shutil.copytree(pipeline.landing / "acme", pipeline.landing / name)
    pipeline.run()
    assert pipeline.query("select workspace_id from reports.contacts_added_log order by all") == [
        (name,) for name in sorted(names)
    ]
    assert pipeline.query("select workspace_id, reason from quality.rejected_records") == [
        ("acme", "unknown_workspace")
    ]


@pytest.mark.slow
def test_a_corrected_event_moves_from_one_contact_to_another_and_uncovers_what_it_had_superseded(
    pipeline: Pipeline,
) -> None:
    land(pipeline, "2", "added", 1)
    pipeline.run()
    assert pipeline.query("select event_id, superseded_by from quality.superseded_events") == [("2", "1")]
    land(pipeline, "1", "added", 7)
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (7,)]
    assert pipeline.query("select event_id, superseded_by from quality.superseded_events") == [("1", "1")]
    land(pipeline, "1", "deleted", 7)
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,)]
    assert pipeline.query("select status from marts.dim_contact where contact_id = 7") == [("deleted",)]


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_an_event_that_left_a_contact_does_not_come_back_when_something_else_arrives_for_that_contact(
    pipeline: Pipeline,
) -> None:
    land(pipeline, "1", "added", 7)
    pipeline.run()
    land(pipeline, "3", "deleted", 1)
    pipeline.run()
    assert pipeline.query(ADDED) == [(7,)]
    assert pipeline.query("select event_id, superseded_by from quality.superseded_events") == [("1", "1")]


@pytest.mark.slow
def test_a_workspace_listed_later_brings_in_what_was_rejected_and_one_unlisted_takes_it_out(pipeline: Pipeline) -> None:
    listed = (pipeline.landing / "workspaces.csv").read_text()
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\n")
    pipeline.run()
    assert pipeline.query("select reason from quality.rejected_records") == [("unknown_workspace",)]
    (pipeline.landing / "workspaces.csv").write_text(listed)
    pipeline.run()
    assert pipeline.query("select reason from quality.rejected_records") == []
    assert pipeline.query(ADDED) == [(1,)]
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nother,Other,UTC\n")
    pipeline.run()
    assert pipeline.query(ADDED) == []


@pytest.mark.slow
def test_a_name_in_a_directory_changes_the_rows_that_show_it_and_no_others(pipeline: Pipeline) -> None:
    users = pipeline.landing / "acme" / "users"
    users.mkdir(parents=True)
    land(pipeline, "2", "added", 2, user_id="9")
    land(pipeline, "3", "added", 3, user_id="8")
    shown = "select contact_id, user_name from reports.contacts_added_log where user_id is not null order by all"
    pipeline.run()
    assert pipeline.query(shown) == [(2, "9"), (3, "8")]
    for name, deleted_at, expected in (("Ann", "", "Ann"), ("Anna", "", "Anna"), ("Anna", "2026-01-01", "9")):
        (users / "users.csv").write_text(f"user_id,user_name,deleted_at\n9,{name},{deleted_at}\n")
        pipeline.run()
        assert pipeline.query(shown) == [(2, expected), (3, "8")]


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_run_that_was_killed_before_publishing_leaves_nothing_that_the_next_one_could_count_twice(
    pipeline: Pipeline,
) -> None:
    land(pipeline, "2", "added", 2)
    pipeline.settings.warehouse.write_bytes(b"what a killed run left")
    pipeline.settings.warehouse.with_suffix(".duckdb.wal").write_bytes(b"and its log")
    pipeline.settings.spill.mkdir(exist_ok=True)
    (pipeline.settings.spill / "duckdb_temp_storage_DEFAULT-7.tmp").write_bytes(b"what did not fit into its memory")
    pipeline.run()
    assert not list(pipeline.settings.spill.glob("*"))
    assert pipeline.query(ADDED) == [(1,), (2,)]


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_warehouse_that_dbt_could_not_write_into_its_file_is_not_published(pipeline: Pipeline) -> None:
    land(pipeline, "2", "added", 2)
    load_landing(pipeline.settings)
    # As dbt leaves it then: with what it is to be built from, and nothing of what was built.
    prepare(pipeline.settings, plan(pipeline.settings))
    with pytest.raises(Problem, match=r"What was built could not be written into .*\. The publication is untouched"):
        publish(pipeline.settings)
    assert pipeline.query(ADDED) == [(1,)]
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,)]


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_building_twice_by_hand_before_publishing_counts_nothing_twice(pipeline: Pipeline) -> None:
    land(pipeline, "2", "added", 2)
    land(pipeline, "1", "added", 5)
    load_landing(pipeline.settings)
    todo = plan(pipeline.settings)
    prepare(pipeline.settings, todo)
    pipeline.build(rebuild=False)
    pipeline.build(rebuild=False)
    publish(pipeline.settings)
    assert pipeline.query(ADDED) == [(2,), (5,)]
    assert pipeline.query("select sum(contacts) from marts.agg_contacts_daily") == [(2,)]


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
@pytest.mark.parametrize("damage", [b"", b"not a database", None])
def test_a_publication_that_is_damaged_or_gone_is_rebuilt_from_the_raw_zone(
    pipeline: Pipeline, damage: bytes | None
) -> None:
    shutil.rmtree(pipeline.landing / "acme")
    if damage is None:
        pipeline.settings.published.unlink()
    else:
        pipeline.settings.published.chmod(0o600)
        pipeline.settings.published.write_bytes(damage)
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,)]


@pytest.mark.slow
def test_real_files_take_the_place_of_the_sample(pipeline: Pipeline) -> None:
    real = pipeline.landing.rename(pipeline.landing.with_name("elsewhere"))
    pipeline.run()
    assert len(pipeline.query(ADDED)) > 1000
    real.rename(pipeline.landing)
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,)]


def records_of(zone: RawZone) -> set[str]:
    """The ids of all events in a raw zone."""
    with duckdb.connect() as connection:
        return {row[0] for row in connection.execute(f"select event_id from {zone.reading('events')}").fetchall()}


def killed_at(step: int, do: Callable[[], None]) -> bool:
    """Have a process do this and be killed at a step, which is each change to a folder. False: it came to its end."""
    child = os.fork()
    if child == 0:
        steps = count()

        def change(event: str, _: object) -> None:
            if event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir") and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(change)
        do()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.slow
def test_a_first_run_on_own_files_that_is_killed_at_any_step_leaves_nothing_of_the_sample(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    settings, raw = pipeline.settings, pipeline.settings.raw
    own = settings.data / "landing"
    own.rename(settings.data / "elsewhere")
    # A sample as small as can be, as each step is tried.
    land_in(settings.sample, "of the sample")
    settings.sample_mark.parent.mkdir()
    settings.sample_mark.touch()
    extract(Landing(str(settings.sample)), RawZone(raw), settings.data / "cache" / "of_the_sample.json")
    assert records_of(RawZone(raw)) == {"of the sample"}
    shutil.copytree(raw, tmp_path / "raw")
    (settings.data / "elsewhere").rename(own)
    for step in count():
        shutil.rmtree(raw)
        shutil.copytree(tmp_path / "raw", raw)
        killed = killed_at(step, partial(_remove_the_sample, settings))
        assert settings.sample_mark.exists() == killed, "the mark is the last that goes"
        load_landing(settings)
        assert records_of(RawZone(raw)) == {"1"}, f"killed at step {step}"
        assert not settings.sample_mark.exists()
        if not killed:
            break
    assert step > 10


@pytest.mark.slow
def test_a_first_run_on_the_sample_that_is_killed_at_any_step_leaves_a_raw_zone_that_is_known_to_be_the_samples(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings
    pipeline.landing.rename(pipeline.landing.with_name("moved away"))
    for step in count():
        shutil.rmtree(settings.raw, ignore_errors=True)
        # With the sample written, the steps are those of its raw zone.
        write_sample(settings.sample, datetime.now(UTC))
        if not killed_at(step, partial(_begin_the_sample, settings)):
            break
        assert settings.is_sample
    assert settings.sample_mark.exists()


@pytest.mark.slow
def test_a_sample_that_was_half_removed_is_begun_again_where_the_own_files_are_gone_again(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    pipeline.landing.rename(pipeline.landing.with_name("on another disk"))
    load_landing(settings)
    whole = records_of(RawZone(settings.raw))
    assert killed_at(2, partial(_remove_the_sample, settings))
    load_landing(settings)
    assert records_of(RawZone(settings.raw)) == whole


@pytest.mark.slow
def test_a_landing_folder_that_went_away_is_missed_and_the_sample_does_not_come_into_the_own_raw_zone(
    pipeline: Pipeline,
) -> None:
    load_landing(pipeline.settings)
    pipeline.landing.rename(pipeline.landing.with_name("not mounted"))
    with pytest.raises(Problem, match=r"The landing folder .* does not exist"):
        load_landing(pipeline.settings)
    assert records_of(RawZone(pipeline.settings.raw)) == {"1"}
    assert not pipeline.settings.sample.exists()


NEW_REJECTS = "select workspace_id, reject_reason, record_count from intermediate.int_reject_changes order by all"


@pytest.mark.slow
def test_records_that_a_changed_rule_rejects_are_new_rejects_and_those_that_it_rejected_before_are_not(
    pipeline: Pipeline,
) -> None:
    land(pipeline, "2", "no such type", 2)
    pipeline.run()
    assert pipeline.query(NEW_REJECTS) == [("acme", "unknown_event_type", 1)]
    land(pipeline, "3", "deleted", 1)
    pipeline.run()
    assert pipeline.query(NEW_REJECTS) == []
    land(pipeline, "4", "no such type", 2)
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\n")
    pipeline.run()
    assert pipeline.query("select count(*) from quality.rejected_records") == [(4,)], "a list of none is a list"
    # The one that had another reason before is among them, and so is that of the new batch.
    assert pipeline.query(NEW_REJECTS) == [("acme", "unknown_workspace", 4)]
    land(pipeline, "5", "no such type", 2)
    pipeline.run()
    assert pipeline.query(NEW_REJECTS) == [("acme", "unknown_workspace", 1)]
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,UTC\n")
    pipeline.run()
    assert pipeline.query(NEW_REJECTS) == [("acme", "unknown_event_type", 3)]


@pytest.mark.slow
def test_rejects_of_another_raw_zone_say_nothing_of_which_are_new(pipeline: Pipeline) -> None:
    land(pipeline, "2", "no such type", 2)
    pipeline.run()
    shutil.rmtree(pipeline.settings.raw)
    pipeline.run()
    assert pipeline.query(NEW_REJECTS) == [("acme", "unknown_event_type", 1)]


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_a_damaged_folder_of_several_batches_is_named_and_its_batches_can_be_loaded_again(pipeline: Pipeline) -> None:
    land(pipeline, "2", "added", 2)
    pipeline.run()
    zone = RawZone(pipeline.settings.raw)
    assert compact(zone, growth=2) == 2
    (broken,) = zone.files("events")[1:]
    assert broken.parent == zone.folder_of(1) == zone.folder_of(2)
    assert plan(pipeline.settings).nothing_to_do
    broken.write_bytes(broken.read_bytes()[:-100])
    with pytest.raises(duckdb.Error) as error, duckdb.connect() as connection:
        connection.execute(f"from {zone.reading('events')}")
    problem = str(explain(error.value, pipeline.settings))
    assert f"The raw zone is damaged: {broken} cannot be read" in problem
    assert f"delete the folder {broken.parent} and run again" in problem

    shutil.rmtree(broken.parent)
    land(pipeline, "3", "added", 3)
    pipeline.run()

    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]
    assert plan(pipeline.settings).nothing_to_do


@pytest.mark.slow
@pytest.mark.usefixtures("first_run")
def test_no_folders_are_merged_while_verify_reads_them(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    land(pipeline, "2", "added", 2)
    load_landing(pipeline.settings)
    zone = RawZone(pipeline.settings.raw)
    merged: list[int] = []

    def build(scratch: Settings) -> None:
        assert len(RawZone(scratch.raw).folders()) == 2
        merged.append(compact(zone, growth=2))
        raise Problem("That is all that is to be seen here")

    monkeypatch.setattr(verify_module, "_build", build)
    with pytest.raises(Problem, match="That is all"):
        verify_module.verify(pipeline.settings)
    assert merged == [0]
    assert compact(zone, growth=2) == 2
