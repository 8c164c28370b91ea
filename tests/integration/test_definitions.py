"""What Dagster shows and does: assets along the flow, checks, the schedule, the sensor, one writer."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.lib.settings import PROJECT_ROOT, export_settings, read_settings


@pytest.fixture(scope="module")
def defs(data_folder_of_the_module: Path) -> dg.Definitions:
    # The manifest is read when the definitions are imported, from the data folder of that moment.
    os.environ["CONTACT_REPORTS_DATA"] = str(data_folder_of_the_module)
    os.environ.pop("CONTACT_REPORTS_LANDING", None)
    export_settings(read_settings())
    from orchestration.definitions import build_defs

    return build_defs()


def test_every_asset_has_a_group_an_owner_and_a_description(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    groups = {"landing", "raw", "seeds", "staging", "intermediate", "marts", "reports", "quality", "published"}
    assert {node.group_name for node in graph.asset_nodes} == groups
    for node in graph.asset_nodes:
        assert node.owners == ["team:data-engineering"], node.key
        assert node.description, node.key


def test_the_publication_comes_after_the_reports_and_the_reports_after_the_landing_folder(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    publication = graph.get(dg.AssetKey(["published", "contact_reports"]))
    assert dg.AssetKey(["reports", "contacts_overview"]) in publication.parent_keys
    upstream = dg.AssetSelection.assets(publication.key).upstream().resolve(graph)
    assert dg.AssetKey(["raw", "events"]) in upstream
    assert graph.get(dg.AssetKey(["raw", "events"])).parent_keys == {dg.AssetKey("landing")}


def test_the_data_tests_are_asset_checks(defs: dg.Definitions) -> None:
    checks = {check.name for check in defs.resolve_asset_graph().asset_check_keys}
    assert "every_file_was_read" in checks
    assert "newest_event_is_recent" in checks
    assert len(checks) > 40


def test_an_incremental_run_is_to_build_tables_and_a_full_rebuild_everything(defs: dg.Definitions) -> None:
    def assets(job: str) -> set[str]:
        return {key.to_user_string() for key in defs.resolve_job_def(job).asset_layer.executable_asset_keys}

    incremental, full = assets("contact_reports"), assets("full_rebuild")
    assert {"raw/events", "marts/fct_contacts_added", "published/contact_reports"} <= incremental
    assert {"reports/contacts_overview", "seeds/event_sources", "staging/stg_events"} <= full - incremental
    assert incremental <= full


@pytest.mark.slow
def test_dagsters_own_check_of_the_definitions_passes(defs: dg.Definitions) -> None:
    command = [str(Path(sys.executable).with_name("dg")), "check", "defs"]
    checked = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_job_schedule_and_sensor_has_a_description(defs: dg.Definitions) -> None:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    named: list[Any] = [*jobs, *repository.schedule_defs, *repository.sensor_defs]
    assert {"contact_reports", "full_rebuild", "alerts"} <= {one.name for one in named}
    assert not [one.name for one in named if not one.description]


def test_the_schedule_is_the_settings(defs: dg.Definitions) -> None:
    schedule = defs.resolve_schedule_def("contact_reports_schedule")
    assert schedule.cron_schedule == read_settings().schedule
    assert schedule.job_name == "contact_reports"


def test_the_sensor_asks_for_one_run_for_each_change_of_the_landing_folder(
    defs: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_LANDING", str(tmp_path))
    (tmp_path / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\n")
    sensor = defs.resolve_sensor_def("new_files_landed")

    def evaluate(cursor: str | None) -> dg.SensorResult | dg.SkipReason:
        outcome = sensor(dg.build_sensor_context(cursor=cursor, instance=dg.DagsterInstance.ephemeral()))
        assert isinstance(outcome, dg.SensorResult | dg.SkipReason)
        return outcome

    first = evaluate(None)
    assert isinstance(first, dg.SensorResult)
    assert first.run_requests is not None and len(first.run_requests) == 1
    assert isinstance(evaluate(first.cursor), dg.SkipReason)
    (tmp_path / "acme" / "events").mkdir(parents=True)
    (tmp_path / "acme" / "events" / "a.jsonl.tmp").write_text("{}\n")
    assert isinstance(evaluate(first.cursor), dg.SkipReason)
    (tmp_path / "acme" / "events" / "a.jsonl.tmp").rename(tmp_path / "acme" / "events" / "a.jsonl")
    assert isinstance(evaluate(first.cursor), dg.SensorResult)


def test_the_sensor_has_the_bodies_of_webhooks_land(
    defs: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_LANDING", str(tmp_path))
    (tmp_path / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\n")
    segment = read_settings().receiver / "acme" / "2026-01-01T00-00-00.000000Z-00000000.jsonl.part"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"{}\n{torn")
    defs.resolve_sensor_def("new_files_landed")(dg.build_sensor_context(instance=dg.DagsterInstance.ephemeral()))
    assert (tmp_path / "acme" / "webhooks" / segment.stem).read_bytes() == b"{}\n"
    assert not segment.exists()
