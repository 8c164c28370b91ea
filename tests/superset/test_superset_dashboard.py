"""The bundle of bi/superset in a stock Superset, opened in a browser: every chart shows what the reports say."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import BrowserContext, sync_playwright

from tests.harness import Pipeline
from tests.superset.browsing import Shown, in_address, logged_in, show
from tests.superset.bundle import CHARTS, DATASETS
from tests.superset.expected import EVENTS, Choice, Reports, Rows, chosen_days, day
from tests.superset.server import superset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the published sample, for the tests to replace."""
    pipeline = Pipeline(tmp_path_factory.mktemp("sample"))
    pipeline.landing.rmdir()
    pipeline.run()
    return Path(shutil.copy(pipeline.settings.published, tmp_path_factory.mktemp("published")))


@pytest.fixture(scope="module")
def browser(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser, logged in to a Superset that has the dashboard."""
    with superset(tmp_path_factory.mktemp("superset"), published) as server, sync_playwright() as playwright:
        # Root may not use the sandbox, and CI is root.
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield logged_in(chromium, server)
        chromium.close()


def series(answer: dict[str, Any]) -> Rows:
    """The bars of a chart, without those of height 0."""
    return sorted(
        (day(row["report_date"]), name, int(value))
        for row in answer["data"]
        for name, value in row.items()
        if name != "report_date" and value
    )


def parts(answer: dict[str, Any], label: str, metric: str, share: str) -> Rows:
    return sorted((row[label], row[metric], round(row[share], 12)) for row in answer["data"])


def log_rows(answer: dict[str, Any], columns: list[str]) -> Rows:
    def value(row: dict[str, Any], column: str) -> object:
        if column == "occurred_at_local":
            return datetime.fromtimestamp(row[column] / 1000, UTC).replace(tzinfo=None)
        return row[column]

    return [tuple(value(row, column) for column in columns) for row in answer["data"]]


def compare(shown: Shown, reports: Reports) -> None:
    """Every chart of the dashboard with the reports."""
    first = {name: answers[0] for name, answers in shown.answers.items()}
    assert first.keys() == CHARTS.keys()
    for event in ("added", "deleted", "merged"):
        assert [tuple(row.values()) for row in first[f"overview_{event}"]["data"]] == reports.metric(event)
    change = [
        (row["event_type"], row["contacts"], row["contacts__inherit"]) for row in first["overview_change"]["data"]
    ]
    assert sorted(change) == reports.change()
    assert series(first["overview_bar_chart"]) == reports.overview()
    for event, label in (("added", "source_label"), ("connected", "channel_name")):
        metric = f"contacts_{event}"
        assert series(first[f"{event}_bar_chart"]) == reports.breakdown(event, label)
        expected = reports.parts(event, label)
        assert parts(first[f"{event}_metric"], label, metric, f"%{metric}") == expected
        assert parts(first[f"{event}_donut"], label, metric, f"{metric}__contribution") == expected
    for event in EVENTS:
        columns = CHARTS[f"{event}_log"]["params"]["all_columns"]
        rows, count = reports.log(event, columns, CHARTS[f"{event}_log"]["params"]["server_page_length"])
        assert log_rows(first[f"{event}_log"], columns) == [
            tuple(
                value.replace(microsecond=value.microsecond // 1000 * 1000) if isinstance(value, datetime) else value
                for value in row
            )
            for row in rows
        ]
        assert shown.answers[f"{event}_log"][1]["data"] == [{"rowcount": count}]


def first_workspace(connection: duckdb.DuckDBPyConnection) -> str:
    """The workspace that the dashboard begins with."""
    ((workspace,),) = connection.execute(
        "select workspace_id from reports.workspaces order by workspace_name limit 1"
    ).fetchall()
    return str(workspace)


def test_an_update_of_the_bundle_leaves_one_of_everything(browser: BrowserContext) -> None:
    for kind, count in (("dashboard", 1), ("chart", len(CHARTS)), ("dataset", len(DATASETS)), ("database", 1)):
        assert browser.request.get(f"/api/v1/{kind}/").json()["count"] == count, kind


def test_every_chart_shows_the_last_seven_days_of_the_first_workspace(browser: BrowserContext, published: Path) -> None:
    shown = show(browser, picture=os.environ.get("SUPERSET_PICTURE"))
    start, end = chosen_days(shown.answers["overview_added"][0])
    assert end - start == timedelta(days=6)
    with duckdb.connect(str(published), read_only=True) as connection:
        compare(shown, Reports(connection, Choice(first_workspace(connection), start, end)))


def test_filters_of_user_and_source_apply_to_every_chart(browser: BrowserContext, published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as connection:
        workspace, name, user, user_name, last = connection.execute(
            """
            select workspace_id, workspace_name, user_id, user_name, max(report_date) over ()
            from reports.contacts_deleted_log inner join reports.workspaces using (workspace_id)
            where user_id is not null qualify count(*) over (partition by workspace_id, user_id) > 5
            order by workspace_id, user_id limit 1"""
        ).fetchone() or ("", "", "", "", date.min)
        start = last - timedelta(days=45)
        choices = {"Workspace": [name], "User": [user_name], "Source": ["User"]}
        shown = show(browser, in_address(choices, dates=f"{start} : {last + timedelta(days=1)}", grain="P1W"))
        choice = Choice(workspace, start, last, "week", user_ids=[user], sources=["user"])
        compare(shown, Reports(connection, choice))


def test_filters_of_contact_and_channel_apply(browser: BrowserContext, published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as connection:
        workspace, name, contact, channel, channel_name, on = connection.execute(
            """
            select workspace_id, workspace_name, contact_id, channel_id, channel_name, added.report_date
            from reports.contacts_added_log as added inner join reports.workspaces using (workspace_id)
            inner join reports.contacts_connected_log as connected using (workspace_id, contact_id)
            anti join reports.contacts_merged_log as merged on contact_id = merged.merged_contact_id
            where channel_id is not null
            order by count(*) over (partition by workspace_id, contact_id) desc, added.event_id limit 1"""
        ).fetchone() or ("", "", 0, "", "", date.min)
        start, end = on - timedelta(days=60), on + timedelta(days=60)
        choices = {"Workspace": [name], "Contact ID": [contact], "Channel": [channel_name]}
        shown = show(browser, in_address(choices, dates=f"{start} : {end + timedelta(days=1)}", grain="P1D"))
        choice = Choice(workspace, start, end, contact_ids=[contact], channel_ids=[channel])
        compare(shown, Reports(connection, choice))


def test_a_new_publication_is_shown_without_a_restart(browser: BrowserContext, published: Path, tmp_path: Path) -> None:
    old, new = Path(shutil.copy(published, tmp_path)), published.with_suffix(".new")
    shutil.copy(published, new)
    new.chmod(0o600)
    with duckdb.connect(str(new)) as connection:
        connection.execute("delete from marts.fct_contacts_deleted")
    os.replace(new, published)
    answer = show(browser).answers["overview_deleted"][0]
    with duckdb.connect(str(old), read_only=True) as connection:
        choice = Choice(first_workspace(connection), *chosen_days(answer))
        assert Reports(connection, choice).metric("deleted") > [(0,)]
    assert answer["data"] == [{"contacts_deleted": 0}]
