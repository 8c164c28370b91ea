"""The digest on the published sample: its numbers, its calendars, Dagster's runs of it, and its command."""

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orchestration.defs import digest as defs
from orchestration.defs import operating
from orchestration.lib.monitoring.attention import Attention
from orchestration.lib.settings import PROJECT_ROOT, Settings
from orchestration.lib.warehouse.published import open_published
from publications.digest.messages import chat_message, html, plain_text
from publications.digest.numbers import Digest, read_digest
from tests.harness import Pipeline
from tests.mail_sink import Sink, mail_sink
from tests.slack import Slack, slack_here

pytestmark = pytest.mark.slow

EVENT_TYPES = ("added", "connected", "deleted", "merged")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Logs:
    """The published logs, counted in Python."""

    zones: dict[str, str]
    counts: Counter[tuple[str, str, date]]  # workspace, metric, day
    people: set[str]  # names and ids of contacts

    def between(self, workspace: str, metric: str, start: date, end: date) -> int:
        days = (start + n * DAY for n in range((end - start).days + 1))
        return sum(self.counts[workspace, metric, day] for day in days)


@pytest.fixture(scope="module")
def logs(sample: Pipeline) -> Logs:
    counts: Counter[tuple[str, str, date]] = Counter()
    people: set[str] = set()
    with open_published(sample.settings.published) as connection:
        zones = dict(connection.execute("select workspace_id, timezone from reports.workspaces").fetchall())
        for kind in EVENT_TYPES:
            contact = "primary_contact_id" if kind == "merged" else "contact_id"
            for workspace, day, name, number in connection.execute(
                f"select workspace_id, report_date, contact_name, {contact} from reports.contacts_{kind}_log"
            ).fetchall():
                counts[workspace, f"contacts_{kind}", day] += 1
                people |= {name, str(number)}
        for workspace, day, growth in connection.execute(
            "select workspace_id, report_date, net_growth from reports.contacts_net_growth"
        ).fetchall():
            counts[workspace, "net_growth", day] = growth
    return Logs(zones, counts, people - {None, ""})


def read(sample: Pipeline, period: str, now: datetime, up_to_date_at: datetime | None = None) -> Digest:
    return read_digest(sample.settings, period, now, Attention(up_to_date_at or now, [], {}))


def period_before(period: str, day: date) -> tuple[date, date]:
    """The calendar period that ended before the one that a day is in."""
    first = {"day": day, "week": day - day.weekday() * DAY, "month": day.replace(day=1)}[period]
    last = first - DAY
    return {"day": last, "week": last - 6 * DAY, "month": last.replace(day=1)}[period], last


def instants() -> list[datetime]:
    """Any, and those at which a week or a month begins in one zone and not in another."""
    today = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    chance = random.Random(23)
    near = [today.replace(day=1, hour=hour) for hour in (0, 9, 12)]
    monday = today - timedelta(days=today.weekday())
    near += [monday.replace(hour=hour) for hour in (0, 11)]
    return near + [today - timedelta(hours=chance.randrange(24 * 60)) for _ in range(3)]


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_each_number_is_what_the_logs_of_the_workspaces_own_period_have(
    sample: Pipeline, logs: Logs, period: str
) -> None:
    for now in instants():
        digest = read(sample, period, now)
        assert {one.workspace_id for one in digest.workspaces} == logs.zones.keys()
        for one in digest.workspaces:
            local_day = now.astimezone(ZoneInfo(logs.zones[one.workspace_id])).date()
            assert (one.start, one.end) == period_before(period, local_day)
            assert (one.start_before, one.end_before) == period_before(period, one.start)
            assert digest.ends[one.workspace_id] == one.end
            assert [figure.metric for figure in one.figures] == [
                *(f"contacts_{kind}" for kind in EVENT_TYPES),
                "net_growth",
            ]
            for figure in one.figures:
                count = logs.between(one.workspace_id, figure.metric, one.start, one.end)
                before = logs.between(one.workspace_id, figure.metric, one.start_before, one.end_before)
                assert (figure.contacts, figure.contacts_before, figure.difference) == (count, before, count - before)
                expected = 100 * (count - before) / before if before > 0 else None
                assert figure.percent == (None if expected is None else pytest.approx(expected))


def test_no_name_and_no_id_of_a_contact_is_in_any_text(sample: Pipeline, logs: Logs) -> None:
    assert len(logs.people) > 10_000
    for period in ("day", "week", "month"):
        digest = read(sample, period, datetime.now(UTC))
        text = plain_text(digest) + html(digest) + chat_message(digest)
        for one in digest.workspaces:
            text = text.replace(one.name, "")
        assert not [person for person in logs.people if len(person) > 3 and person in text]


def test_numbers_of_a_period_that_the_publication_does_not_have_to_its_end_are_called_incomplete(
    sample: Pipeline,
) -> None:
    now = datetime.now(UTC)
    late = read(sample, "week", now, up_to_date_at=now - timedelta(days=8))
    assert all(one.needs[0].startswith("Incomplete: ") for one in late.workspaces)
    assert not [line for one in read(sample, "week", now).workspaces for line in one.needs if "Incomplete" in line]


def test_a_workspace_without_a_recent_event_is_named_with_its_newest(sample: Pipeline) -> None:
    now = datetime.now(UTC) + timedelta(days=9)
    assert all(
        any(line.startswith("No event after ") for line in one.needs) for one in read(sample, "day", now).workspaces
    )


def test_the_rejects_that_were_loaded_in_the_period_are_counted_by_reason(sample: Pipeline, logs: Logs) -> None:
    with open_published(sample.settings.published) as connection:
        rejected = connection.execute(
            "select workspace_id, reason, epoch_us(loaded_at) from quality.rejected_records"
        ).fetchall()
    loaded = [
        (workspace, datetime.fromtimestamp(at / 1e6, ZoneInfo(logs.zones[workspace])).date(), reason)
        for workspace, reason, at in rejected
        if workspace in logs.zones
    ]
    said = 0
    for hours in (12, 24, 36, 48):
        for one in read(sample, "day", datetime.now(UTC) + timedelta(hours=hours)).workspaces:
            expected = Counter(
                reason for workspace, day, reason in loaded if (workspace, day) == (one.workspace_id, one.start)
            )
            lines = [line for line in one.needs if line.startswith("Rejected records of the period: ")]
            assert len(lines) == bool(expected)
            for reason, count in expected.items():
                assert f" {count:,} {reason}," in lines[0]
            said += len(lines)
    assert said, "the sample has rejects"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_sink() as sink:
        yield sink


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_here() as server:
        yield server


@pytest.fixture
def digesting(sample: Pipeline, sink: Sink, slack: Slack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A data folder with the published sample, and a weekly digest to Slack and by mail."""
    settings = sample.settings.model_copy(update={"data": tmp_path})
    settings.published.parent.mkdir()
    shutil.copyfile(sample.settings.published, settings.published)
    for variable, value in {
        "DATA": str(tmp_path),
        "DIGEST": "0 7 * * 1",
        "DIGEST_URL": slack.address,
        "DIGEST_SMTP": f"smtp+plain://127.0.0.1:{sink.port}",
        "DIGEST_FROM": "reports@example.com",
        "DIGEST_TO": "a@example.com",
    }.items():
        monkeypatch.setenv(f"CONTACT_REPORTS_{variable}", value)
    monkeypatch.setattr(operating, "RETRY_AFTER_SECONDS", 0.2)
    return settings


def run(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = defs.build_defs().resolve_job_def(defs.JOB)
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False, run_config=quiet)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        yield instance


def test_without_its_variable_dagster_has_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTACT_REPORTS_DIGEST", raising=False)
    found = defs.build_defs()
    assert not [*(found.assets or ()), *(found.jobs or ()), *(found.schedules or ())]


def test_the_schedule_is_the_settings_and_its_run_sends_once(
    digesting: Settings, sink: Sink, slack: Slack, instance: dg.DagsterInstance
) -> None:
    schedule = defs.build_defs().resolve_schedule_def("digest_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 7 * * 1", "UTC")
    request = schedule(dg.build_schedule_context(instance=instance))
    assert isinstance(request, dg.RunRequest)
    for _ in range(2):
        assert run(instance, dict(request.tags)).success
    assert (len(sink.taken), len(slack.texts)) == (1, 1)
    assert slack.texts[0].startswith("*Contacts: week of ")


def test_a_run_of_the_schedule_tries_again_and_sends_to_nobody_twice(
    digesting: Settings, sink: Sink, slack: Slack, instance: dg.DagsterInstance
) -> None:
    sink.answers = {"DATA": "451 4.3.0 later"}
    result = run(instance, {operating.SENDS: "digest"})
    assert not result.success
    tries = [line for line in sink.heard if line.endswith("DATA")]
    assert (len(tries), len(sink.taken), len(slack.texts)) == (1 + operating.RETRIES, 0, 1)
    assert "mail to a@example.com" in (operating.problem_of_run(instance, result.run_id) or "")
    sink.answers = {}
    assert run(instance, {operating.SENDS: "digest"}).success
    assert (len(sink.taken), len(slack.texts)) == (1, 1)


def test_a_run_of_a_person_fails_at_once(
    digesting: Settings, sink: Sink, slack: Slack, instance: dg.DagsterInstance
) -> None:
    slack.status = 503
    assert not run(instance, {}).success
    assert len(sink.taken) == 1


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_without_a_publication_the_digest_says_so_and_sends_the_numbers_when_there_is_one(
    digesting: Settings, slack: Slack, instance: dg.DagsterInstance, damage: str
) -> None:
    kept = digesting.published.rename(digesting.data / "kept")
    if damage == "damaged":
        digesting.published.write_bytes(b"damaged")
    assert run(instance, {}).success
    assert run(instance, {}).success
    [text] = slack.texts
    assert ("Nothing is published yet" if damage == "missing" else "The publication cannot be read") in text
    kept.replace(digesting.published)
    assert run(instance, {}).success
    assert "Net growth" in slack.texts[1]


def test_an_old_publication_is_called_stale(digesting: Settings, slack: Slack, instance: dg.DagsterInstance) -> None:
    then = datetime.now(UTC).timestamp() - 20 * 86400
    os.utime(digesting.published, (then, then))
    assert run(instance, {}).success
    [text] = slack.texts
    assert "! The publication is stale: no run has succeeded since" in text
    assert "! Incomplete: no run has succeeded since the period ended" in text


def test_the_command_shows_it_and_sends_it_once(digesting: Settings, sink: Sink, slack: Slack) -> None:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orchestration", "digest", *arguments],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    shown = command("--print")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "  Net growth " in shown.stdout
    assert command("--print", "html").stdout.startswith("<!doctype html>")
    assert not sink.taken and not slack.texts
    assert command().stdout == "sent: address 1 of CONTACT_REPORTS_DIGEST_URL\nsent: mail to a@example.com\n"
    assert command().stdout == "nothing to send: all recipients have it\n"
    sink.refused = {"a@example.com": "550 5.1.1 gone"}
    failed = command("--again")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: The digest was not sent to 1 of 2 recipients: mail to a@example.com")
    assert slack.address.rsplit("/", 1)[1] not in failed.stderr + failed.stdout
