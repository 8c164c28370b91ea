"""The published views against the independent reckoning, on random histories, run after run."""

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from orchestration.lib.raw_zone.compaction import compact
from orchestration.lib.raw_zone.zone import RawZone
from tests.comparison import assert_as_reckoned
from tests.harness import Pipeline, Row, in_order
from tests.reckoning import Reckoning
from tests.streams import Delivery, apply, make_deliveries

# A failing history is rerun by its seed; shrinking one costs a run of the pipeline a step, and helps little.
histories = settings(
    deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
seeds = st.integers(min_value=0, max_value=10**9)


@pytest.fixture(scope="module")
def data(data_folder_of_the_module: Path) -> Path:
    return data_folder_of_the_module


def empty_pipeline(data: Path) -> Pipeline:
    for folder in ("raw", "published", "landing", "cache"):
        shutil.rmtree(data / folder, ignore_errors=True)
    return Pipeline(data)


@pytest.mark.slow
@settings(histories, max_examples=2)
@given(seed=seeds)
# One of the few histories with a report log of 10,000 rows; it has gaps of both kinds and what no log lists, too.
@example(seed=86)
def test_every_view_is_as_reckoned_after_every_run_and_equals_a_rebuild(data: Path, seed: int) -> None:
    pipeline, reckoning = empty_pipeline(data), Reckoning()
    for number, delivery in enumerate(make_deliveries(random.Random(seed), deliveries=4, events=60), start=1):
        apply(delivery, pipeline.landing)
        extraction = pipeline.run()
        if extraction.batch_id is not None:
            loaded_at = pipeline.loaded_at(extraction.batch_id)
        reckoning.load(pipeline.landing, loaded_at)
        assert_as_reckoned(pipeline, reckoning, f"seed {seed}, run {number}")
        # As soon as it can be, so that the next run reads what was merged, and so does the rebuild.
        compact(RawZone(pipeline.settings.raw), growth=2)
    assert len(RawZone(pipeline.settings.raw).folders()) < 4
    incremental = pipeline.tables()
    pipeline.settings.published.unlink()
    pipeline.run()
    rebuilt = pipeline.tables()
    assert incremental.keys() == rebuilt.keys()
    for table, rows in incremental.items():
        assert rows == rebuilt[table], f"{table} differs from a rebuild, seed {seed}"


@pytest.mark.slow
@settings(histories, max_examples=1)
@given(seed=seeds)
def test_the_same_history_counts_the_same_however_it_is_cut_into_runs(data: Path, seed: int) -> None:
    steps = _in_loading_order(make_deliveries(random.Random(seed), deliveries=4, events=60))
    counted: list[dict[str, list[Row]]] = []
    for runs in (1, 4):
        pipeline = empty_pipeline(data)
        for number, step in enumerate(steps, start=1):
            apply(step, pipeline.landing)
            # Both end with a run over what is left.
            if number * runs // len(steps) > (number - 1) * runs // len(steps):
                pipeline.run()
        counted.append({view: in_order(pipeline.query(sql)) for view, sql in COUNTED_ALIKE.items()})
    for view, rows in counted[0].items():
        assert rows == counted[1][view], f"{view}, seed {seed}"


# All but the times of loading.
COUNTED_ALIKE = {
    "contacts_added_log": "select * from reports.contacts_added_log",
    "contacts_connected_log": "select * from reports.contacts_connected_log",
    "contacts_deleted_log": "select * from reports.contacts_deleted_log",
    "contacts_merged_log": "select * from reports.contacts_merged_log",
    "contacts_net_growth": "select * from reports.contacts_net_growth",
    "users": "select * from reports.users",
    "channels": "select * from reports.channels",
    "data_status": "select * exclude (last_loaded_at) from reports.data_status",
    "superseded_events": "select * from quality.superseded_events",
    "rejected_records": "select * exclude (loaded_at) from quality.rejected_records",
    "load_balance": "select * exclude (loaded_at) from quality.load_balance",
    "cut_report_logs": "select * exclude (loaded_at) from quality.cut_report_logs",
    "report_log_gaps": "select * from quality.report_log_gaps",
    "refused_files": "select * exclude (loaded_at) from quality.refused_files",
    "reconciliation": "select * from quality.reconciliation",
}


def _in_loading_order(deliveries: list[Delivery]) -> list[Delivery]:
    """The deliveries as steps, their files renamed so that one run over all steps loads them in the same order.

    Inside one run the order is that of the paths: kind by kind, and by the delivery's number within one. A listing of
    the API has one path for all its versions, so that only the first is delivered.
    """
    steps: dict[tuple[str, int], dict[str, bytes | None]] = {}
    listings: set[str] = set()
    listed: list[bytes] = []
    for number, delivery in enumerate(deliveries):
        for path, content in delivery.items():
            if path == "workspaces.csv":
                listed += [content] if content is not None else []
                continue
            workspace_id, kind, name = path.split("/")
            if content is None or name.startswith(".") or name.endswith((".tmp", ".part")) or path in listings:
                continue
            renamed = f"{number}-{name}"
            if kind == "api":
                is_contacts = name.startswith("contacts-")
                renamed = f"contacts-{renamed}" if is_contacts else name
                listings |= set() if is_contacts else {path}
            steps.setdefault((kind, number), {})[f"{workspace_id}/{kind}/{renamed}"] = content
    keys = sorted(steps)
    if listed:
        steps[keys[0]]["workspaces.csv"], steps[keys[-1]]["workspaces.csv"] = listed[0], listed[-1]
    return [steps[key] for key in keys]
