"""The published views against the independent reckoning, on random histories, run after run."""

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.harness import QUALITY_VIEWS, REPORT_VIEWS, Pipeline, Row, in_order
from tests.reckoning import Reckoning, comparable_row
from tests.streams import Delivery, apply, make_deliveries

# A failing history is rerun by its seed; shrinking one costs a run of the pipeline a step, and helps little.
histories = settings(
    deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
seeds = st.integers(min_value=0, max_value=10**9)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def begin_anew(data: Path) -> Pipeline:
    for folder in ("raw", "published", "landing", "cache"):
        shutil.rmtree(data / folder, ignore_errors=True)
    return Pipeline(data)


def assert_as_reckoned(pipeline: Pipeline, reckoning: Reckoning, when: str) -> None:
    for schema, views in (("reports", REPORT_VIEWS), ("quality", QUALITY_VIEWS)):
        for view in views:
            published = pipeline.rows(f"select * from {schema}.{view}")
            expected = reckoning.view(view)
            columns = list((expected or published or [{}])[0])
            assert not published or set(published[0]) == set(columns), f"columns of {view}"
            assert _rows(published, columns) == _rows(expected, columns), f"{view}, {when}"
    columns = ["workspace_id", "contact_id", "status", "first_event_at", "last_event_at", "survivor_contact_id"]
    contacts = pipeline.rows(f"select {', '.join(columns)} from marts.dim_contact")
    assert _rows(contacts, columns) == _rows(reckoning.contacts(), columns), f"dim_contact, {when}"


def _rows(rows: list[dict[str, object]], columns: list[str]) -> list[Row]:
    comparable = []
    for row in rows:
        values = dict(row)
        if values.get("reason") == "malformed_record":
            values["detail"] = None  # The contract leaves its wording to us.
        if "raw_record" in values and str(values["source_file"]).endswith(".parquet"):
            values["raw_record"] = comparable_row(str(values["raw_record"]))
        if "occurred_at_local" in values and values["occurred_at_local"] is not None:
            values["occurred_at_local"] = values["occurred_at_local"].replace(fold=0)  # type: ignore[attr-defined]
        comparable.append(tuple(values[column] for column in columns))
    return in_order(comparable)


@pytest.mark.slow
@settings(histories, max_examples=3)
@given(seed=seeds)
def test_every_view_is_as_reckoned_after_every_run_and_equals_a_rebuild(data: Path, seed: int) -> None:
    pipeline, reckoning = begin_anew(data), Reckoning()
    for number, delivery in enumerate(make_deliveries(random.Random(seed), deliveries=4, events=60), start=1):
        apply(delivery, pipeline.landing)
        extraction = pipeline.run()
        if extraction.batch_id is not None:
            loaded_at = pipeline.loaded_at(extraction.batch_id)
        reckoning.load(pipeline.landing, loaded_at)
        assert_as_reckoned(pipeline, reckoning, f"seed {seed}, run {number}")
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
    deliveries = [
        _in_loading_order(delivery, number)
        for number, delivery in enumerate(make_deliveries(random.Random(seed), deliveries=4, events=60))
    ]
    counted = []
    for cut in (1, len(deliveries)):
        pipeline = begin_anew(data)
        for number, delivery in enumerate(deliveries, start=1):
            apply(delivery, pipeline.landing)
            if number % (len(deliveries) // cut) == 0:
                pipeline.run()
        counted.append(
            {
                view: in_order(pipeline.query(f"select * exclude ({excluded}) from {view}"))
                for view, excluded in {
                    "reports.contacts_added_log": "route",
                    "reports.contacts_connected_log": "route",
                    "reports.contacts_deleted_log": "route",
                    "reports.contacts_merged_log": "route",
                    "reports.data_status": "last_loaded_at",
                    "quality.superseded_events": "route",
                    "quality.rejected_records": "loaded_at",
                    "quality.load_balance": "loaded_at",
                }.items()
            }
        )
    assert counted[0] == counted[1], f"seed {seed}"


def _in_loading_order(delivery: Delivery, number: int) -> Delivery:
    """The delivery with its files renamed so that one run over all deliveries loads them in the order they came."""
    renamed: dict[str, bytes | None] = {}
    for path, content in delivery.items():
        folder, _, name = path.rpartition("/")
        if path == "workspaces.csv":
            renamed[path] = content
        elif content is not None and not name.startswith(".") and not name.endswith((".tmp", ".part")):
            renamed[f"{folder}/{number}-{name}"] = content
    return renamed
