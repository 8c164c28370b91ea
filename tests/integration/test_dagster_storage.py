"""Dagster's event log with kept connections: what one process writes, others see; nothing piles up."""

import multiprocessing
import os
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration.lib.dagster_storage import SqliteStorage
from orchestration.lib.settings import PROJECT_ROOT


@dg.asset
def something() -> None:
    """An asset."""


def instance_in(folder: Path) -> dg.DagsterInstance:
    """An instance as dagster.yaml of the repository sets it up, with its state in a folder."""
    (folder / "dagster.yaml").write_text((PROJECT_ROOT / "dagster.yaml").read_text())
    return dg.DagsterInstance.from_config(str(folder))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONTACT_REPORTS_DAGSTER", str(tmp_path))
    return tmp_path


def materialize_in(folder: Path) -> None:
    with instance_in(folder) as instance:
        dg.materialize([something], instance=instance)


def test_what_another_process_writes_is_seen_at_once_through_a_kept_connection(folder: Path) -> None:
    with instance_in(folder) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("something")) is None
        other = multiprocessing.get_context("spawn").Process(target=materialize_in, args=(folder,))
        other.start()
        other.join()
        assert instance.get_latest_materialization_event(dg.AssetKey("something")) is not None
        (run,) = instance.get_runs()
        assert instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_SUCCESS)


def test_dagsters_own_storage_reads_what_ours_wrote(folder: Path) -> None:
    materialize_in(folder)
    with instance_in(folder) as instance:
        (run,) = instance.get_runs()
        ours = instance.all_logs(run.run_id)
        theirs = SqliteEventLogStorage(os.path.join(folder, "history", "runs", ""))
        assert ours == theirs.get_logs_for_run(run.run_id)


def test_connections_to_many_runs_do_not_pile_up_and_close_with_the_instance(folder: Path) -> None:
    with instance_in(folder) as instance:
        for _ in range(12):
            dg.materialize([something], instance=instance)
        for run in instance.get_runs():
            assert instance.all_logs(run.run_id)
        assert len(open_databases(folder)) <= 9
        assert isinstance(instance.event_log_storage, SqliteEventLogStorage)
    assert open_databases(folder) == set()


def open_databases(folder: Path) -> set[str]:
    """The event logs that this process has open."""
    opened = (os.readlink(descriptor.path) for descriptor in os.scandir("/proc/self/fd") if os.path.lexists(descriptor))
    return {path for path in opened if path.startswith(str(folder / "history" / "runs")) and path.endswith(".db")}


def test_after_an_error_in_a_transaction_the_log_goes_on(folder: Path) -> None:
    storage = SqliteStorage.from_local(str(folder))
    log = storage.event_log_storage
    assert isinstance(log, SqliteEventLogStorage)
    with pytest.raises(RuntimeError), log.index_connection() as connection:
        connection.exec_driver_sql("insert into asset_keys (asset_key) values ('half')")
        raise RuntimeError
    with log.index_connection() as connection:
        assert not connection.exec_driver_sql("select 1 from asset_keys").fetchall()
    storage.dispose()
