"""The same history by several routes: what the logs tell counts once, whoever else tells it, and in whatever order."""

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.harness import Pipeline, Row, in_order
from tests.streams import Delivery, OneHistory, apply, make_one_history

histories = settings(
    deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
seeds = st.integers(min_value=0, max_value=10**9)

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
    "added": """
        select workspace_id, report_date, contacts_added from reports.contacts_overview where contacts_added > 0""",
    "connected": COUNTS["connected"],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


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
@settings(histories, max_examples=1)
@given(seed=seeds)
def test_webhooks_and_the_api_change_no_count_that_the_logs_give_in_any_order_and_any_number_of_runs(
    data: Path, seed: int
) -> None:
    rng = random.Random(seed)
    history = make_one_history(rng)
    by_logs = counted(data, [[history.workspaces, history.logs]], COUNTS)
    assert by_logs["added"] and by_logs["connected"] and by_logs["routes"] == [("report_log",)]
    for runs in (1, 3):
        by_all = counted(data, shuffled_and_cut(rng, history, runs), COUNTS)
        for name, rows in by_logs.items():
            assert by_all[name] == rows, f"{name} in {runs} runs, seed {seed}"


@pytest.mark.slow
@settings(histories, max_examples=1)
@given(seed=seeds)
def test_without_the_logs_webhooks_and_the_api_tell_who_was_added_and_connected_on_which_day(
    data: Path, seed: int
) -> None:
    history = make_one_history(random.Random(seed))
    by_logs = counted(data, [[history.workspaces, history.logs]], FRESH_COUNTS)
    by_the_fresh = counted(data, [[history.workspaces, history.webhooks], [history.api]], FRESH_COUNTS)
    assert by_the_fresh == by_logs, f"seed {seed}"


@pytest.mark.slow
@settings(histories, max_examples=1)
@given(seed=seeds)
def test_logs_that_come_after_webhooks_and_the_api_take_their_place(data: Path, seed: int) -> None:
    history = make_one_history(random.Random(seed))
    first = [history.workspaces, history.api, history.webhooks]
    by_both = counted(data, [first, [history.logs]], COUNTS)
    assert by_both == counted(data, [[*first, history.logs]], COUNTS), f"seed {seed}"
    assert by_both["routes"] == [("report_log",)]
