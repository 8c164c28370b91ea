"""What Dagster is told of the models and tests while dbt builds them."""

import gc
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration.lib.settings import Settings
from orchestration.lib.warehouse.published import open_published
from tests.harness import Pipeline

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    """A data folder with one event to load."""
    pipeline = Pipeline(data_folder)
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    folder = pipeline.landing / "acme" / "events"
    folder.mkdir(parents=True)
    (folder / "1.csv").write_text("event_id,event_type,occurred_at,contact_id\n1,added,2026-03-01T12:00:00Z,1\n")
    return pipeline.settings


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    no_telemetry = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster"), overrides=no_telemetry) as instance:
        yield instance


def execute(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    from orchestration.definitions import defs

    job = defs.resolve_job_def("contact_reports")
    return job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)


@pytest.mark.slow
def test_every_test_is_reported_as_a_check_and_every_table_with_rows_column_types_and_its_newest_event(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    result = execute(instance)
    assert result.success
    nodes = json.loads((settings.dbt_target / "manifest.json").read_text())["nodes"].values()
    checks = {check.check_name for check in result.get_asset_check_evaluations()}
    assert {node["name"] for node in nodes if node["resource_type"] == "test"} - checks == set()

    materialized = [event.materialization for event in result.get_asset_materialization_events()]
    rows = {"/".join(one.asset_key.path): one.metadata.get("dagster/row_count") for one in materialized}
    with open_published(settings.published) as connection:
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall():
            if told := rows.pop(f"{schema}/{table}", None):
                assert connection.execute(f"select count(*) from {schema}.{table}").fetchone() == (told.value,), table
    assert not any(told for asset, told in rows.items() if not asset.startswith("raw/")), "a view has rows"

    (added,) = (one for one in materialized if one.asset_key.path == ["marts", "fct_contacts_added"])
    assert added.metadata["newest_event"].value == datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    schema = added.metadata["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    assert {column.name: column.type for column in schema.columns}["occurred_at"] == "TIMESTAMP WITH TIME ZONE"


@pytest.mark.slow
def test_an_incremental_run_reports_what_it_built_and_a_full_rebuild_everything(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    from orchestration.definitions import defs

    def reported(job: str) -> tuple[set[str], set[str]]:
        ran = defs.resolve_job_def(job).execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
        assert ran.success
        materialized = (event.materialization.asset_key for event in ran.get_asset_materialization_events())
        results = json.loads((settings.dbt_target / "run_results.json").read_text())["results"]
        return {key.to_user_string() for key in materialized}, {result["unique_id"] for result in results}

    everything = {key.to_user_string() for key in defs.resolve_asset_graph().materializable_asset_keys}
    assert reported("contact_reports")[0] == everything, "the first run builds all that there is"
    events = settings.landing_url + "/acme/events/2.csv"
    Path(events).write_text("event_id,event_type,occurred_at,contact_id\n2,added,2026-03-02T12:00:00Z,2\n")
    incremental, built = reported("contact_reports")
    models = {name.split("/")[1] for name in incremental if not name.startswith(("raw/", "published/"))}
    assert models == {name.split(".")[2] for name in built if name.startswith("model.")}
    assert not {name for name in incremental if name.startswith("seeds/")} | {"staging/stg_events"} & incremental
    assert reported("full_rebuild")[0] == everything


# dagster-dbt's reader of dbt's output, once nobody reads it any more, offers one more line where it should end.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
def test_a_run_whose_events_cannot_be_kept_any_more_leaves_no_dbt_behind(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, told = instance.event_log_storage, []
    store = storage.store_event

    def fail_at_the_third_test(event: dg.EventLogEntry) -> None:
        if event.dagster_event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            told.append(event)
            if len(told) >= 3:
                raise OSError(28, "No space left on device")
        store(event)

    monkeypatch.setattr(storage, "store_event", fail_at_the_third_test)
    assert not execute(instance).success
    assert len(told) >= 3
    gc.collect()  # The error, and the step that it ended, are forgotten.
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert not [child for child in children if "lib.dbt.child" in Path(f"/proc/{child}/cmdline").read_text()]
    assert not settings.published.exists()
