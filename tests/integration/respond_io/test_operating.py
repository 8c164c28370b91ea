"""How the connector is operated: Dagster's assets, job, schedule and sensor, the command line; tokens show nowhere."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from orchestration.defs import operating
from orchestration.lib.problems import Problem
from orchestration.lib.respond_io import client
from orchestration.lib.settings import PROJECT_ROOT, export_settings, read_settings
from orchestration.sample import stand_in
from orchestration.sample.stand_in import StandIn, Workspace
from tests.integration.respond_io.conftest import TOKEN

WRONG = "tok-77b1-nobody-knows"
ODD = "Büro 7 (EU)-a.b"
TODAY = datetime.now(UTC).date()


def contacts(days: int) -> list[dict[str, Any]]:
    """One contact an hour."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return [
        {"id": n + 1, "firstName": "Ann", "created_at": int((now - timedelta(hours=n)).timestamp())}
        for n in range(24 * days)
    ]


@pytest.fixture
def environment(
    tmp_path: Path, served: tuple[StandIn, str], api: StandIn, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A data folder, and two workspaces with tokens; gives the folder."""
    workspace.contacts += contacts(4)
    workspace.users += [{"id": 1, "firstName": "Ann"}]
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CONTACT_REPORTS_API_URL", served[1])
    monkeypatch.setenv("CONTACT_REPORTS_API_RATE", "1000")
    monkeypatch.setenv("CONTACT_REPORTS_API_TOKENS", json.dumps({"acme": TOKEN, ODD: TOKEN}))
    before = dict(os.environ)
    export_settings(read_settings())
    yield tmp_path / "data"
    os.environ.clear()
    os.environ.update(before)


def fetch_defs() -> dg.Definitions:
    from orchestration.defs.respond_io import build_defs

    return build_defs()


def execute(workspace_id: str, first: int, last: int, **tags: str) -> dg.ExecuteInProcessResult:
    """The job over the days from so many days ago to so many."""
    from orchestration.defs.respond_io import api_key, days_as_tags

    with dg.DagsterInstance.get() as instance:
        return (
            fetch_defs()
            .resolve_job_def("respond_io_api")
            .execute_in_process(
                instance=instance,
                asset_selection=[api_key(workspace_id)],
                tags=tags | days_as_tags(TODAY - timedelta(days=first), TODAY - timedelta(days=last)),
                raise_on_error=False,
            )
        )


@pytest.mark.slow
def test_the_stand_in_of_the_command_line_is_fetched_from_with_the_variables_that_it_prints(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "orchestration"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_REPORTS")}
    with subprocess.Popen(
        [*command, "stand-in", "--port", str(port)],
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as stand_in:
        try:
            assert stand_in.stdout is not None
            for _ in range(2):
                (assignment,) = shlex.split(stand_in.stdout.readline().removeprefix("export "))
                name, value = assignment.split("=", 1)
                environment[name] = value
            environment["CONTACT_REPORTS_DATA"] = str(tmp_path)
            fetched = subprocess.run(
                [*command, "fetch"], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
            )
            assert fetched.returncode == 0, fetched.stderr
            assert sum(path.read_text().count("\n") for path in tmp_path.glob("landing/acme/api/contacts-*")) > 100
            stand_in.send_signal(signal.SIGINT)
            assert stand_in.wait(20) == 0
        finally:
            stand_in.kill()


def landed(data: Path, workspace_id: str) -> list[Path]:
    return sorted((data / "landing" / workspace_id / "api").iterdir())


def assert_nowhere(token: str, data: Path, *outputs: str) -> None:
    files = [path for path in data.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert token.encode() not in path.read_bytes(), path
    for output in outputs:
        assert token not in output


@pytest.mark.parametrize("workspace_id", ["acme", ODD])
def test_a_range_of_days_is_one_run_that_shows_what_each_day_brought(environment: Path, workspace_id: str) -> None:
    result = execute(workspace_id, first=2, last=0)
    assert result.success
    days = {event.partition: event.materialization for event in result.get_asset_materialization_events()}
    assert list(days) == [str(TODAY - timedelta(days=number)) for number in (2, 1, 0)]
    for day in list(days.values())[:2]:
        assert day.asset_key == dg.AssetKey(["api", workspace_id])
        # 24 hours, and the midnight that belongs to both days.
        assert day.metadata["contacts"].value == 25
        assert day.metadata["requests"].value == 1
    assert len(landed(environment, workspace_id)) == 3 + 2
    assert_nowhere(TOKEN, environment)


def test_a_day_that_fails_ends_the_run_and_the_days_before_it_are_shown_as_fetched(
    environment: Path, api: StandIn
) -> None:
    api.faults["/contact/list"] = iter([None, stand_in.error(400, f"No {TOKEN}")])
    result = execute("acme", first=2, last=0)
    assert not result.success
    days = [event.partition for event in result.get_asset_materialization_events()]
    assert days == [str(TODAY - timedelta(days=2))]
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "workspace 'acme': POST /contact/list got 400 (No ***)" in str(failure.event_specific_data)
    assert_nowhere(TOKEN, environment, str(result.all_events))


def test_a_scheduled_fetch_that_got_no_answer_asks_again_later_and_one_that_was_refused_does_not(
    environment: Path, api: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating, "RETRY_AFTER_SECONDS", 0)
    monkeypatch.setattr(client, "Patience", partial(client.Patience, attempts=1))
    for status, succeeds, retries in ((503, True, 1), (400, False, 0)):
        api.faults["/contact/list"] = iter([stand_in.error(status, "Not now")])
        result = execute("acme", first=1, last=0, **{operating.FETCHES: "acme"})
        assert result.success is succeeds
        again = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
        assert len(again) == retries


def test_two_workspaces_whose_ids_look_alike_are_two_assets(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = dict.fromkeys(("a-b", "a b", "a_b", "12", "ab"), TOKEN)
    monkeypatch.setenv("CONTACT_REPORTS_API_TOKENS", json.dumps(tokens))
    keys = fetch_defs().resolve_asset_graph().executable_asset_keys
    assert keys == {dg.AssetKey(["api", workspace_id]) for workspace_id in tokens}
    monkeypatch.setenv("CONTACT_REPORTS_API_TOKENS", json.dumps({"../b": TOKEN}))
    with pytest.raises(Problem, match="cannot be a folder"):
        fetch_defs()


def test_the_schedule_asks_for_each_workspace_from_where_it_stopped(environment: Path) -> None:
    assert execute("acme", first=1, last=0).success
    schedule = fetch_defs().resolve_schedule_def("respond_io_api_schedule")
    assert schedule.cron_schedule == read_settings().schedule
    moment = datetime.now(UTC)
    requests = schedule.evaluate_tick(
        dg.build_schedule_context(
            scheduled_execution_time=moment,
            instance=dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}),
        )
    ).run_requests
    assert requests is not None
    first_days = {}
    for request in requests:
        assert request.asset_selection is not None
        assert request.tags["dagster/asset_partition_range_end"] == str(TODAY)
        first_days[request.asset_selection[0].path[1]] = request.tags["dagster/asset_partition_range_start"]
    assert first_days == {"acme": str(TODAY), ODD: str(TODAY - timedelta(days=6))}


def test_what_was_fetched_is_published_unless_a_command_will(environment: Path) -> None:
    from orchestration.defs.respond_io import BY_COMMAND

    def asked_for(tags: dict[str, str]) -> object:
        fetched = execute("acme", first=0, last=0, **tags)
        with dg.DagsterInstance.get() as instance:
            context = dg.build_run_status_sensor_context(
                sensor_name="contacts_fetched",
                dagster_event=fetched.get_run_success_event(),
                dagster_instance=instance,
                dagster_run=fetched.dagster_run,
            )
            return fetch_defs().resolve_sensor_def("contacts_fetched")(context)

    assert isinstance(asked_for({}), dg.RunRequest)
    assert isinstance(asked_for({BY_COMMAND: "fetch"}), dg.SkipReason)


def test_without_a_token_there_is_nothing_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTACT_REPORTS_API_TOKENS", raising=False)
    defs = fetch_defs()
    assert not defs.assets and not defs.jobs and not defs.schedules and not defs.sensors and not defs.asset_checks


def test_a_workspace_without_a_token_is_named(environment: Path) -> None:
    from orchestration.defs.respond_io import every_workspace_has_a_token

    (environment / "landing").mkdir(parents=True)
    rows = "workspace_id,workspace_name,timezone\nacme,Acme,UTC\nb,B,UTC\n"
    (environment / "landing" / "workspaces.csv").write_text(rows)
    result = every_workspace_has_a_token()
    assert isinstance(result, dg.AssetCheckResult)
    assert not result.passed
    assert result.description is not None and result.description.endswith("for want of a token: b")


def command(*arguments: str, tokens: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if tokens is not None:
        environment["CONTACT_REPORTS_API_TOKENS"] = json.dumps(tokens)
    return subprocess.run(
        [sys.executable, "-m", "orchestration", *arguments],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_fetch_takes_a_range_of_days_and_says_what_became_of_each_workspace(environment: Path) -> None:
    first = TODAY - timedelta(days=2)
    done = command("fetch", "--from", f"{first}", "--to", f"{TODAY}", tokens={"acme": TOKEN, "b": WRONG})
    assert done.returncode == 1
    assert f"acme: {first} to {TODAY}, " in done.stdout
    assert "b: failed" in done.stdout
    (error,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert "workspace 'b'" in error and "403" in error and "CONTACT_REPORTS_API_TOKENS" in error
    assert "Traceback" not in done.stderr + done.stdout
    assert len(landed(environment, "acme")) == 3 + 2
    for token in (TOKEN, WRONG):
        assert_nowhere(token, environment, done.stdout, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "tokens", "said"),
    [
        (["fetch"], {}, "No workspace has a token"),
        (["fetch", "--workspace", "c"], {"acme": TOKEN}, "No token for workspace c"),
        (["fetch", "--from", "2016-12-31", "--to", "2016-12-31"], {"acme": TOKEN}, "There are no days from 2016-12-31"),
        (["run"], {"../up": TOKEN}, "'../up', which cannot be a folder"),
    ],
)
def test_what_cannot_be_fetched_is_refused_in_one_line(
    environment: Path, arguments: list[str], tokens: dict[str, str], said: str
) -> None:
    refused = command(*arguments, tokens=tokens)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert TOKEN not in refused.stderr + refused.stdout


@pytest.mark.slow
def test_a_run_publishes_what_has_landed_although_one_workspace_cannot_be_fetched(environment: Path) -> None:
    events = environment / "landing" / "acme" / "events"
    events.mkdir(parents=True)
    rows = "workspace_id,workspace_name,timezone\nacme,Acme,UTC\nb,B,UTC\nc,C,UTC\n"
    (environment / "landing" / "workspaces.csv").write_text(rows)
    event = {"event_id": "1", "event_type": "added", "occurred_at": "2026-03-01T12:00Z", "contact_id": 1}
    (events / "1.jsonl").write_text(json.dumps(event) + "\n")
    done = command("run", tokens={"acme": TOKEN, "b": WRONG})
    assert done.returncode == 1
    (error,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert "workspace 'b'" in error and "403" in error
    assert "want of a token: c" in " ".join(done.stdout.split())
    with duckdb.connect(str(environment / "published" / "contact_reports.duckdb"), read_only=True) as connection:
        assert (1,) in connection.execute("select contact_id from reports.contacts_added_log").fetchall()
    assert any(path.name.startswith("contacts-") for path in landed(environment, "acme"))
    for token in (TOKEN, WRONG):
        assert_nowhere(token, environment, done.stdout, done.stderr)
