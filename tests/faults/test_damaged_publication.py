"""A publication that is not as a run left it, by a disk, a person or another version: found, rebuilt, nothing lost."""

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.lib.pipeline import load_landing
from orchestration.lib.warehouse.plan import plan
from orchestration.lib.warehouse.provenance import _fingerprint, _remember
from orchestration.lib.warehouse.verify import verify
from tests.faults.commands import ADDED, failed, land, start, truncate
from tests.faults.foreign import leave_beside, rows
from tests.harness import Pipeline


def overwrite_in_the_middle(path: Path) -> None:
    path.chmod(0o600)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(512))


def make_older(path: Path) -> None:
    path.chmod(0o600)
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table intermediate.build_state drop column batches")


def make_unknown(path: Path) -> None:
    path.unlink()
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table something (else_altogether integer)")


def checks_of_the_last_run() -> list[tuple[str, bool]]:
    """What Dagster's page shows of the newest run: each check's name and whether it passed, in the order of time."""
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(limit=1)
        entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    told = (entry.get_dagster_event().asset_check_evaluation_data for entry in entries)
    return [(check.check_name, check.passed) for check in told]


@pytest.mark.slow
@pytest.mark.parametrize("damage", [overwrite_in_the_middle, truncate, make_older, make_unknown])
def test_a_publication_that_is_damaged_or_of_another_layout_is_to_be_rebuilt_though_nothing_is_new(
    pipeline: Pipeline, damage: Callable[[Path], None]
) -> None:
    assert plan(pipeline.settings).nothing_to_do
    damage(pipeline.settings.published)
    todo = plan(pipeline.settings)
    assert todo.rebuild
    assert todo.reason == "the published file is damaged or of another layout"


@pytest.mark.slow
def test_a_publication_that_a_disk_damaged_is_rebuilt_by_the_next_run(pipeline: Pipeline) -> None:
    overwrite_in_the_middle(pipeline.settings.published)
    pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,)]


@pytest.mark.slow
def test_a_backup_of_the_raw_zone_brings_back_all_that_was_published_on_an_empty_machine(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    data, published = pipeline.settings.data, pipeline.tables()
    # As deploy/README.md says, while a run that was killed has left something half done.
    (pipeline.settings.raw / ".incoming-half").mkdir()
    for folder in ("raw", "published", "landing"):
        shutil.copytree(data / folder, tmp_path / folder, ignore=shutil.ignore_patterns(".*"))

    def restore(*folders: str) -> None:
        shutil.rmtree(data)
        for folder in folders:
            shutil.copytree(tmp_path / folder, data / folder)

    restore("raw", "published")
    assert plan(pipeline.settings).nothing_to_do
    assert verify(pipeline.settings).differences == []
    restore("raw", "landing")
    assert pipeline.run().files == 0, "nothing is loaded twice"
    assert pipeline.tables() == published


@pytest.mark.slow
def test_a_data_folder_that_was_copied_does_not_look_into_the_one_it_came_from(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    shutil.copytree(pipeline.settings.data, tmp_path / "copy")
    copy = Pipeline(tmp_path / "copy")
    assert f"the raw zone was moved here from {pipeline.settings.raw}" in plan(copy.settings).reason
    land(copy, 3)
    copy.run()
    assert copy.query(ADDED) == [(1,), (2,), (3,)]
    assert copy.query("select count(*) from staging.stg_files where route = 'events'") == [(3,)]


@pytest.mark.slow
def test_rows_that_are_wrong_are_found_by_verify_and_mended_by_a_run_that_cannot_continue_them(
    pipeline: Pipeline,
) -> None:
    pipeline.settings.published.chmod(0o600)
    with duckdb.connect(str(pipeline.settings.published)) as connection:
        connection.execute("delete from marts.fct_contacts_added where contact_id = 1")
        connection.execute("update marts.agg_contacts_daily set contacts = 7")
        connection.execute("create or replace view reports.sources as select 1 as source")
    before = pipeline.settings.published.read_bytes()
    differences, line = failed(start(pipeline, "verify"))
    assert f"{pipeline.settings.published} is not what the raw zone makes of it" in line
    assert "marts.fct_contacts_added: 1 rows missing" in differences
    assert '"contact_id":1' in differences
    assert "marts.agg_contacts_daily: 1 rows too many" in differences
    assert "reports.sources: is not defined as it should be" in differences
    assert "dim_contact" not in differences
    assert pipeline.settings.published.read_bytes() == before
    assert plan(pipeline.settings).reason == "another program wrote into the published file, or replaced it"
    # As if the rows had been wrong when they were published.
    _remember(pipeline.settings, "", [_fingerprint(pipeline.settings.published)])
    land(pipeline, 3)
    run = start(pipeline)
    printed, said = run.communicate()
    assert run.returncode == 0, said
    assert "building everything from the raw zone: the publication could not be continued" in said
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]
    told = checks_of_the_last_run()
    in_the_end = dict(told)
    mended = {check for check, passed in told if not passed and in_the_end[check]}
    assert "records_add_up" in mended
    assert all(f"test {check} found" in said for check in mended)
    assert not any(f"warning: {check}" in printed for check in mended)


@pytest.mark.slow
def test_what_a_killed_program_left_beside_the_publication_is_told_and_removed_by_a_run_with_nothing_new(
    pipeline: Pipeline,
) -> None:
    published = pipeline.settings.published
    log = leave_beside(published, "delete from marts.fct_contacts_added")
    assert rows(published, ADDED) == []
    status, _ = start(pipeline, "status").communicate()
    assert f"beside        {log}: a program wrote into the published file and was ended" in status
    run = start(pipeline)
    printed, said = run.communicate()
    assert run.returncode == 0, said
    assert f"{log} was removed: a program wrote into the published file and was ended" in " ".join(printed.split())
    assert not log.exists()
    assert rows(published, ADDED) == [(1,), (2,)]
    assert plan(pipeline.settings).nothing_to_do


@pytest.mark.slow
def test_what_another_program_wrote_into_the_publication_is_told_by_verify_never_run_and_replaced(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Its rows and views can be read, so that it would be taken for whole. Nothing has landed since."""
    published = pipeline.settings.published
    (tmp_path / "secret").write_text("the key of somebody")
    spying = f"as select content as records_landed, content as c from read_text('{tmp_path / 'secret'}')"
    log = leave_beside(
        published,
        f'create table marts."a""; copy (select 1) to \'{tmp_path / "written"}\'; --" as select 1 as i',
        f"create or replace view staging.stg_records {spying}",
        "create macro main.max(anything) as 42",
        "checkpoint",
        "delete from marts.fct_contacts_added",
    )
    todo = plan(pipeline.settings)
    assert (todo.rebuild, todo.reason) == (True, "another program wrote into the published file, or replaced it")
    differences, _ = failed(start(pipeline, "verify"))
    assert f"{log} is left of a program that wrote into the publication and was ended" in differences
    assert "staging.stg_records: is not defined as it should be" in differences
    assert "main.max: is not defined as it should be" in differences
    assert 'marts.a"; copy' in differences
    assert "the key" not in differences
    land(pipeline, 3)
    run = start(pipeline)
    _, said = run.communicate()
    assert run.returncode == 0, said
    assert "building everything from the raw zone: another program wrote into the published file" in said
    assert rows(published, ADDED) == [(1,), (2,), (3,)]
    assert not rows(published, "from duckdb_functions() where function_name = 'max' and not internal")
    assert not (tmp_path / "written").exists()


@pytest.mark.slow
def test_a_restored_publication_that_nobody_here_is_known_to_have_made_is_published_on_and_not_built_on(
    pipeline: Pipeline,
) -> None:
    shutil.rmtree(pipeline.settings.data / "cache")
    assert plan(pipeline.settings).nothing_to_do
    land(pipeline, 3)
    load_landing(pipeline.settings)
    todo = plan(pipeline.settings)
    assert (todo.rebuild, todo.reason) == (True, "the published file is not known to be made here")


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [1, 4], ids=["while dbt parses", "when all is built"])
def test_verify_finds_no_difference_to_a_rebuild_that_did_not_fit_on_the_disk(
    pipeline: Pipeline, megabytes: int
) -> None:
    def allow_small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))

    printed, line = failed(start(pipeline, "verify", before=allow_small_files_only))
    assert "could not be built: not all of it could be written" in line
    assert "disk space" in line
    assert printed == ""


@pytest.mark.slow
def test_rebuild_builds_what_was_loaded_and_names_the_days_that_changed(pipeline: Pipeline) -> None:
    pipeline.settings.published.chmod(0o600)
    with duckdb.connect(str(pipeline.settings.published)) as connection:
        connection.execute("delete from marts.fct_contacts_added where contact_id = 1")
    land(pipeline, 3)
    run = start(pipeline, "rebuild", "--from", "2026-03-01", "--to", "2026-03-31")
    printed, said = run.communicate()
    assert run.returncode == 0, said
    assert "building everything from the raw zone: a rebuild was asked for" in said
    assert "acme 2026-03-01: 1 events before, 2 now\ndays that changed from 2026-03-01 to 2026-03-31: 1\n" in printed
    assert pipeline.query(ADDED) == [(1,), (2,)]
