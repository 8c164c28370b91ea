"""Records that nobody would send: none stops a run, and each is accounted for."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.harness import Pipeline
from tests.reckoning import Reckoning
from tests.reckoning.files import DIRECTORY_KINDS
from tests.streams.fuzz import write_fuzzed


@pytest.mark.slow
@settings(
    deadline=None,
    max_examples=1,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(min_value=0, max_value=10**9))
def test_every_fuzzed_record_of_every_kind_is_in_exactly_one_state(
    data_folder: Path, pytestconfig: pytest.Config, seed: int
) -> None:
    records = pytestconfig.getoption("fuzzed_records")
    pipeline, reckoning = Pipeline(data_folder), Reckoning()
    write_fuzzed(random.Random(seed), pipeline.landing, records)
    batch_id = pipeline.run().batch_id
    assert batch_id is not None
    reckoning.load(pipeline.landing, pipeline.loaded_at(batch_id))
    published = pipeline.rows("select * from quality.load_balance")
    landed = {row["source_file"]: row["records_landed"] for row in published}
    expected = {row["source_file"]: row["records_landed"] for row in reckoning.view("load_balance")}
    assert landed == expected, f"seed {seed}"
    assert sum(len(file.records) for file in reckoning.files) >= records * 5 // 6
    for row in published:
        states = [row[f"records_{state}"] for state in ("standing", "superseded", "rejected", "ignored")]
        assert row["records_landed"] == sum(map(int, map(str, states))), f"{row}, seed {seed}"
    (rejected,) = pipeline.query("select count(*) from quality.rejected_records")
    (stated,) = pipeline.query("select sum(records_landed)::bigint from reports.data_status")
    of_events = [int(str(row["records_landed"])) for row in published if row["route"] not in DIRECTORY_KINDS]
    assert stated == (sum(of_events),), f"seed {seed}"
    assert rejected == (sum(int(str(row["records_rejected"])) for row in published),), f"seed {seed}"
