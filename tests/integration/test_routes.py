"""The same history by several routes: what the logs tell counts once, whoever else tells it, and in whatever order."""

import random
import shutil
from pathlib import Path

import pytest

from tests.harness import Pipeline, Row, in_order
from tests.streams import Delivery, OneHistory, apply, make_one_history

SEED = 0

# What the logs say of a channel is its name; its id and type are the directory's, which need not be there.
COUNTS = {
    "overview": "select * from reports.contacts_overview",
    "added": "select * from reports.contacts_added_by_source",
    "connected": """
        select workspace_id, report_date, channel_name, contacts_connected
        from reports.contacts_connected_by_channel""",
    "logs": """
        select 'added' as log, count(*) from reports.contacts_added_log
        union all select 'connected', count(*) from reports.contacts_connected_log
        union all select 'deleted', count(*) from reports.contacts_deleted_log
        union all select 'merged', count(*) from reports.contacts_merged_log""",
    "routes": """
        select distinct route from reports.contacts_added_log
        union select distinct route from reports.contacts_connected_log""",
}
# What webhooks and the API say as well as the logs do. Days without any event are the overview's to add.
FRESH_COUNTS = {
    "added by day": """
        select workspace_id, report_date, contacts_added from reports.contacts_overview where contacts_added > 0""",
    "connected": COUNTS["connected"],
}


@pytest.fixture(scope="module")
def data(data_folder_of_the_module: Path) -> Path:
    return data_folder_of_the_module


@pytest.fixture(scope="module")
def history() -> OneHistory:
    return make_one_history(random.Random(SEED))


@pytest.fixture(scope="module")
def by_logs(data: Path, history: OneHistory) -> dict[str, list[Row]]:
    """What the logs give by themselves."""
    return counted(data, [[history.workspaces, history.logs]], COUNTS | FRESH_COUNTS)


def counted(data: Path, runs: list[list[Delivery]], queries: dict[str, str]) -> dict[str, list[Row]]:
    """What is published after so many runs over what had landed until then, in an empty data folder."""
    for folder in ("raw", "published", "landing", "cache"):
        shutil.rmtree(data / folder, ignore_errors=True)
    pipeline = Pipeline(data)
    for deliveries in runs:
        for delivery in deliveries:
            apply(delivery, pipeline.landing)
        pipeline.run()
    return {name: in_order(pipeline.query(sql)) for name, sql in queries.items()}


def shuffled_and_cut(rng: random.Random, history: OneHistory, runs: int) -> list[list[Delivery]]:
    """All files of all routes, one by one in any order, in so many runs; the workspace is there from the start."""
    files = [
        {path: content} for part in (history.logs, history.webhooks, history.api) for path, content in part.items()
    ]
    rng.shuffle(files)
    cuts = sorted(rng.sample(range(1, len(files)), runs - 1))
    parts = [files[start:end] for start, end in zip([0, *cuts], [*cuts, len(files)], strict=True)]
    return [[history.workspaces, *part] for part in parts]


@pytest.mark.slow
def test_webhooks_and_the_api_change_no_count_that_the_logs_give_in_any_order_and_any_number_of_runs(
    data: Path, history: OneHistory, by_logs: dict[str, list[Row]]
) -> None:
    assert by_logs["added"] and by_logs["connected"] and by_logs["routes"] == [("report_log",)]
    for runs in (1, 3):
        by_all = counted(data, shuffled_and_cut(random.Random(SEED), history, runs), COUNTS)
        for name, rows in by_all.items():
            assert by_logs[name] == rows, f"{name} in {runs} runs"


@pytest.mark.slow
def test_without_the_logs_webhooks_and_the_api_tell_who_was_added_and_connected_on_which_day(
    data: Path, history: OneHistory, by_logs: dict[str, list[Row]]
) -> None:
    by_the_fresh = counted(data, [[history.workspaces, history.webhooks], [history.api]], FRESH_COUNTS)
    assert by_the_fresh == {name: by_logs[name] for name in FRESH_COUNTS}


@pytest.mark.slow
def test_logs_that_come_after_webhooks_and_the_api_take_their_place(data: Path, history: OneHistory) -> None:
    first = [history.workspaces, history.api, history.webhooks]
    by_both = counted(data, [first, [history.logs]], COUNTS)
    assert by_both == counted(data, [[*first, history.logs]], COUNTS)
    assert by_both["routes"] == [("report_log",)]
