"""Hours with nothing new, which most are: no run is started, and no check loses its result."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.defs import automation
from orchestration.lib.lock import only_writer
from orchestration.lib.monitoring.health import read_health, read_unread_files
from orchestration.lib.pipeline import find_news
from orchestration.lib.settings import Settings, export_settings, read_settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FRESHNESS = dg.AssetCheckKey(dg.AssetKey(["published", "contact_reports"]), "newest_event_is_recent")

pytestmark = pytest.mark.slow


class Project:
    """A data folder with a publication, and the Dagster instance that knows of it."""

    def __init__(self, landing: Path, settings: Settings, instance: dg.DagsterInstance) -> None:
        from orchestration.definitions import defs

        self.landing, self.settings, self.instance, self.defs = landing, settings, instance, defs

    def land(self, name: str, event_id: int, event_type: str = "added") -> None:
        event = {
            "event_id": f"{event_id}",
            "event_type": event_type,
            "occurred_at": "2026-03-01T12:00Z",
            "contact_id": 1,
        }
        (self.landing / "acme" / "events" / name).write_text(json.dumps(event) + "\n")

    def run(self) -> dg.ExecuteInProcessResult:
        job = self.defs.resolve_job_def("contact_reports")
        result = job.execute_in_process(instance=self.instance, run_config=QUIET, raise_on_error=False)
        assert result.success
        return result

    def evaluate_the_schedule(self) -> dg.RunRequest | dg.SkipReason:
        """What the schedule does in the next hour."""
        schedule = self.defs.resolve_schedule_def("contact_reports_schedule")
        outcome = schedule(dg.build_schedule_context(instance=self.instance))
        assert isinstance(outcome, dg.RunRequest | dg.SkipReason)
        return outcome

    def checks(self) -> dict[dg.AssetCheckKey, bool | None]:
        """Whether each check passed, as Dagster's page shows it; None where it shows none."""
        keys = list(self.defs.resolve_asset_graph().asset_check_keys)
        records = self.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        found = {key: record.evaluation for key, record in records.items()}
        return {
            key: found[key].passed if isinstance(found.get(key), dg.AssetCheckEvaluation) else None  # type: ignore[union-attr]
            for key in keys
        }

    def published(self) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.settings.published), read_only=True) as connection:
            return connection.execute("from marts.fct_contact_events order by all").fetchall()

    def evaluations(self, key: dg.AssetCheckKey) -> int:
        return len(self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1000))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, data_folder_of_the_module: Path) -> Iterator[Project]:
    base, before = tmp_path_factory.mktemp("idle"), dict(os.environ)
    landing = base / "landing"
    (landing / "acme" / "events").mkdir(parents=True)
    (landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    os.environ |= {"CONTACT_REPORTS_DATA": str(data_folder_of_the_module), "CONTACT_REPORTS_LANDING": str(landing)}
    export_settings(read_settings())
    with dg.DagsterInstance.get() as instance:
        project = Project(landing, read_settings(), instance)
        project.land("1.jsonl", 1)
        project.run()
        # An incremental run, of which some checks need not be made; its reject is warned of.
        project.land("2.jsonl", 2, event_type="removed")
        (landing / "acme" / "events" / "notes.docx").write_text("?")
        (landing / "acme" / "events" / "broken.parquet").write_bytes(b"PAR1, and no more")
        for file in (*landing.glob("*.csv"), *landing.glob("*/*/*")):
            long_ago = datetime.now(UTC).timestamp() - 3600
            os.utime(file, (long_ago, long_ago))
        project.run()
        yield project
    os.environ.clear()
    os.environ.update(before)


def settle(project: Project) -> None:
    """Run until nothing is new: a file that changed within two seconds is looked into once more."""
    time.sleep(2.1)
    while find_news(project.settings):
        project.run()


def test_after_an_incremental_run_every_check_has_a_result(project: Project) -> None:
    checks = project.checks()
    assert [key for key, passed in checks.items() if passed is None] == []
    names = {key.name for key, passed in checks.items() if not passed}
    assert names == {"new_rejects", "every_file_was_read", "newest_event_is_recent"}


def test_a_run_started_by_hand_with_nothing_new_builds_everything_and_makes_every_check(project: Project) -> None:
    settle(project)
    tables = project.published()
    project.run()
    checks = project.checks()
    assert [key for key, passed in checks.items() if passed is None] == []
    assert project.published() == tables


def test_the_schedule_skips_when_nothing_is_new_and_checks_the_age_of_the_data_all_the_same(project: Project) -> None:
    settle(project)
    before, made = project.checks(), project.evaluations(FRESHNESS)
    runs = project.instance.get_runs_count()
    outcome = project.evaluate_the_schedule()
    assert isinstance(outcome, dg.SkipReason)
    assert "Nothing is new" in (outcome.skip_message or "")
    assert project.checks() == before
    assert project.evaluations(FRESHNESS) == made + 1
    assert project.instance.get_runs_count() == runs
    found = read_health(project.settings).up_to_date_at
    assert found is not None and datetime.now(UTC) - found < timedelta(minutes=1), "it was found up to date just now"


def test_a_file_that_cannot_be_read_is_named_and_starts_no_run_until_it_is_gone(project: Project) -> None:
    settle(project)
    told = "\n".join(read_unread_files(project.settings.data).warnings)
    assert "acme/events/notes.docx is not read" in told
    assert "acme/events/broken.parquet is not loaded" in told
    (project.landing / "acme" / "events" / "broken.parquet").unlink()
    assert isinstance(project.evaluate_the_schedule(), dg.RunRequest)
    settle(project)
    assert "broken.parquet" not in "\n".join(read_unread_files(project.settings.data).warnings)


def test_whatever_is_new_starts_a_run(project: Project) -> None:
    settle(project)
    assert find_news(project.settings) is None
    waiting = project.settings.receiver / "acme" / "2026-01-01T00-00-00.000000Z-00000000.jsonl.part"
    waiting.parent.mkdir(parents=True)
    waiting.write_bytes(b"{}\n")
    assert find_news(project.settings) == "bodies of webhooks wait"
    waiting.unlink()

    wal = project.settings.published.with_name("contact_reports.duckdb.wal")
    wal.write_bytes(b"")
    assert ".wal" in (find_news(project.settings) or "")
    wal.unlink()

    workspaces = project.landing / "workspaces.csv"
    content = workspaces.read_text()
    workspaces.write_text(content.replace("Acme", "Acme & Co"))
    assert find_news(project.settings) == "workspaces.csv is new"
    workspaces.write_text(content.replace("Paris", "Pariss"))
    assert isinstance(project.evaluate_the_schedule(), dg.RunRequest), "the run says what is wrong"
    workspaces.write_text(content)

    project.land("3.jsonl", 3)
    outcome = project.evaluate_the_schedule()
    assert isinstance(outcome, dg.RunRequest)
    assert outcome.tags["contact_reports/started_by"] == "schedule"


def test_while_a_run_is_under_way_schedule_and_sensor_wait_and_look_again(project: Project) -> None:
    settle(project)
    project.land("4.jsonl", 4)
    sensor = project.defs.resolve_sensor_def("new_files_landed")
    with only_writer(project.settings.data):
        assert isinstance(project.evaluate_the_schedule(), dg.SkipReason)
        waiting = sensor(dg.build_sensor_context(instance=project.instance))
        assert isinstance(waiting, dg.SkipReason), "without a cursor, so that it looks again"
    assert isinstance(project.evaluate_the_schedule(), dg.RunRequest)


def test_what_a_killed_run_did_not_load_is_new_though_its_checksum_is_remembered(project: Project) -> None:
    settle(project)
    batches = sorted(project.settings.raw.glob("batches-*"), key=lambda path: path.stat().st_mtime)
    newest, aside = batches[-1], project.settings.raw.parent / "aside"
    newest.rename(aside)
    try:
        assert find_news(project.settings)
    finally:
        aside.rename(newest)


def test_the_sensor_of_files_skips_what_another_run_has_loaded(project: Project) -> None:
    settle(project)
    sensor = project.defs.resolve_sensor_def("new_files_landed")
    outcome = sensor(dg.build_sensor_context(instance=project.instance))
    assert isinstance(outcome, dg.SensorResult)
    assert not outcome.run_requests
    assert outcome.skip_reason is not None and outcome.cursor


def test_a_landing_folder_that_does_not_answer_is_left_to_a_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(project)
    monkeypatch.setattr(automation, "_LOOK_SECONDS", 0)
    assert isinstance(project.evaluate_the_schedule(), dg.RunRequest)


def test_a_publication_that_does_not_answer_is_left_to_a_run(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_LAKE", str(tmp_path / "lake"))
    monkeypatch.setattr(automation, "_LOOK_SECONDS", 0.5)
    monkeypatch.setattr(automation, "nothing_new", lambda *_: dg.SkipReason("nothing is new"))
    monkeypatch.setattr("orchestration.defs.publications.keys_behind", lambda settings: time.sleep(1))
    outcome = project.evaluate_the_schedule()
    assert isinstance(outcome, dg.RunRequest)
    assert outcome.asset_selection == [dg.AssetKey(["published", "lake"])]
