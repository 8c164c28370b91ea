"""Alerts, against a server that takes them as Slack does: what is told, that it is told once, and that it arrives."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.alerts import alerts_sensor
from orchestration.lib.extraction.extract import UnreadFiles
from orchestration.lib.monitoring.health import note_unread_files, noting_the_run
from orchestration.lib.problems import Problem
from orchestration.lib.secrets import read_secrets, without_secrets
from tests.published_by_hand import publish_by_hand
from tests.slack import TOKEN, Slack, slack_here


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slack]:
    with slack_here() as server:
        monkeypatch.setenv("CONTACT_REPORTS_ALERT_URL", server.address)
        yield server


class Operator:
    """A data folder, a Dagster instance, and the sensor that looks at both."""

    def __init__(self, data: Path, instance: dg.DagsterInstance) -> None:
        self.published = data / "published" / "contact_reports.duckdb"
        self.instance = instance
        self.cursor: str | None = None
        self.fails_with: str | None = None

    def publish(self, *, rejects: int = 0, gaps: tuple[str, ...] = (), age: timedelta = timedelta(0)) -> None:
        publish_by_hand(
            self.published,
            newest_event_at=datetime.now(UTC) - age,
            rejects=[("acme", "missing_field")] * rejects,
            gaps=gaps,
        )

    def run(self, problem: str | None = None) -> None:
        """A run of Dagster's, which fails when there is a problem."""

        @dg.op(name="step")
        def step() -> None:
            if problem:
                raise dg.Failure(problem)

        @dg.job
        def contact_reports() -> None:
            step()

        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        contact_reports.execute_in_process(instance=self.instance, raise_on_error=False, run_config=quiet)

    def look(self) -> None:
        result = alerts_sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path))
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        operator = Operator(tmp_path, instance)
        operator.publish()
        operator.look()
        yield operator


def test_a_healthy_project_tells_nothing(operator: Operator, slack: Slack) -> None:
    operator.run()
    operator.look()
    assert slack.texts == []


def test_a_failed_run_is_told_with_its_problem(operator: Operator, slack: Slack) -> None:
    operator.run("The landing folder /srv/<a&b> does not exist. Create it")
    operator.look()
    [text] = slack.texts
    assert text.startswith("contact-reports, run_failed: run ")
    assert text.endswith("of contact_reports: The landing folder /srv/&lt;a&amp;b&gt; does not exist. Create it")


def test_the_same_failure_is_told_once_until_a_run_succeeds(operator: Operator, slack: Slack) -> None:
    for hour in range(3):
        operator.run(f"The disk is full since {hour} o'clock")
        operator.look()
        operator.look()
    assert len(slack.texts) == 1
    operator.run("Another cause")
    operator.look()
    assert len(slack.texts) == 2
    operator.run()
    operator.run("The disk is full since 5 o'clock")
    operator.look()
    assert len(slack.texts) == 3


def test_new_rejects_are_told_by_workspace_and_reason_and_old_ones_are_not(operator: Operator, slack: Slack) -> None:
    operator.publish(rejects=2)
    operator.look()
    operator.look()
    assert slack.texts == [
        "contact-reports, new_rejects: 2 more records are rejected: 2 in workspace acme: missing_field"
    ]
    operator.publish(rejects=5)
    operator.look()
    assert slack.texts[1:] == [
        "contact-reports, new_rejects: 3 more records are rejected: 3 in workspace acme: missing_field"
    ]


def test_stale_data_is_told_when_it_becomes_stale_and_again_when_it_does_so_again(
    operator: Operator, slack: Slack
) -> None:
    for _ in range(2):
        operator.publish(age=timedelta(hours=49))
        operator.look()
        operator.look()
        operator.publish()
        operator.look()
    assert [text.split(":")[0] for text in slack.texts] == ["contact-reports, data_is_stale"] * 2


def test_a_missing_publication_and_a_damaged_one_are_told(operator: Operator, slack: Slack) -> None:
    operator.published.unlink()
    operator.look()
    assert slack.texts == [], "where no run ever ended, the first is yet to come"
    with noting_the_run(operator.published.parents[1], lambda: "it failed"):
        pass
    operator.look()
    operator.published.write_bytes(b"no database, but long enough to have a header" * 100)
    operator.look()
    operator.look()
    kinds = [text.split(":")[0].removeprefix("contact-reports, ") for text in slack.texts]
    assert kinds == ["publication_is_stale", "publication_cannot_be_read"]


def test_a_gap_between_downloads_is_told_once_each(operator: Operator, slack: Slack) -> None:
    operator.publish(gaps=("2026-03-01",))
    operator.look()
    operator.publish(gaps=("2026-03-01", "2026-03-05"))
    operator.look()
    assert len(slack.texts) == 2
    assert "2026-03-01" in slack.texts[0]
    assert "2026-03-05" in slack.texts[1] and "2026-03-01" not in slack.texts[1]
    assert all(text.startswith("contact-reports, report_log_days_are_missing: ") for text in slack.texts)


def test_a_file_that_could_not_be_read_is_told(operator: Operator, slack: Slack) -> None:
    note_unread_files(
        operator.published.parents[1],
        UnreadFiles(refused=["acme/events/a.parquet is not loaded: it is empty; replace it"]),
    )
    operator.look()
    operator.look()
    assert slack.texts == [
        "contact-reports, file_was_not_read: acme/events/a.parquet is not loaded: it is empty; replace it"
    ]


def test_what_cannot_be_posted_is_posted_with_the_next_look_and_fails_nothing(operator: Operator, slack: Slack) -> None:
    slack.status = 503
    operator.publish(rejects=1)
    operator.look()
    slack.status = 200
    operator.look()
    operator.look()
    assert len(slack.texts) == 1


def test_a_server_that_is_not_there_fails_nothing(
    operator: Operator, slack: Slack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_ALERT_URL", f"http://127.0.0.1:1/services/{TOKEN}")
    operator.publish(rejects=1)
    operator.look()
    assert "1 alerts wait" in capfd.readouterr().err
    monkeypatch.setenv("CONTACT_REPORTS_ALERT_URL", slack.address)
    operator.look()
    assert len(slack.texts) == 1


def test_without_an_address_nothing_is_posted_and_the_log_line_is_written_once(
    operator: Operator, slack: Slack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    address = read_secrets().alert_url
    assert address is not None
    monkeypatch.delenv("CONTACT_REPORTS_ALERT_URL")
    operator.publish(rejects=1)
    operator.look()
    operator.look()
    assert capfd.readouterr().err.count("contact-reports, new_rejects: 1 more records are rejected") == 1
    monkeypatch.setenv("CONTACT_REPORTS_ALERT_URL", address.get_secret_value())
    operator.look()
    assert slack.texts == [], "what was told before there was an address is not told late"


@pytest.mark.parametrize("status", [200, 404])
def test_the_address_is_in_no_log_no_cursor_and_no_child_process(
    operator: Operator,
    slack: Slack,
    status: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.status = status
    operator.publish(rejects=1)
    operator.look()
    said = capfd.readouterr()
    assert "new_rejects" in said.err
    for kept in (said.out, said.err, caplog.text, operator.cursor or ""):
        assert TOKEN not in kept
    assert "CONTACT_REPORTS_ALERT_URL" not in without_secrets()


@pytest.mark.parametrize("address", [f"hooks.example.com/{TOKEN}", f"ftp://hooks.example.com/{TOKEN}"])
def test_an_address_that_is_none_is_refused_without_being_shown(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_ALERT_URL", address)
    with pytest.raises(Problem, match="CONTACT_REPORTS_ALERT_URL cannot be read") as refused:
        read_secrets()
    assert TOKEN not in str(refused.value)
