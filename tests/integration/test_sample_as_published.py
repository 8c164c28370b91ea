"""What the sample workspaces show of the pipeline: all that can go wrong in event files, and nothing after now."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.harness import Pipeline
from tests.reckoning import EVENT_TYPES

# The others bring what their connectors make of the same stories.
OF_EVENT_FILES = "workspace_id not in ('bergwerk', 'tui')"


@pytest.mark.slow
def test_three_zones_hold_all_that_can_go_wrong_and_nothing_after_now(sample: Pipeline) -> None:
    zones = sample.query(f"select timezone from reports.workspaces where {OF_EVENT_FILES} order by all")
    assert zones == [("America/Sao_Paulo",), ("Asia/Kuala_Lumpur",), ("Europe/Paris",)]

    (counts,) = sample.query(
        f"""
        select sum(records_landed)::bigint, sum(records_superseded)::bigint, sum(records_rejected)::bigint
        from quality.load_balance where {OF_EVENT_FILES}"""
    )
    landed, superseded, rejected = (int(str(count)) for count in counts)
    assert 45_000 <= landed <= 55_000
    assert 0.01 < superseded / landed < 0.02
    assert 0.002 < rejected / landed < 0.004
    reasons = sample.query(f"select distinct reason from quality.rejected_records where {OF_EVENT_FILES} order by all")
    assert [reason for (reason,) in reasons] == [
        "invalid_contact_id",
        "invalid_occurred_at",
        "malformed_record",
        "missing_field",
        "source_not_allowed",
    ]

    for directory in ("users", "channels"):
        states = sample.query(f"select distinct is_deleted from reports.{directory} where {OF_EVENT_FILES} order by 1")
        assert states == [(False,), (True,)]

    status = sample.query(
        f"select last_event_at from reports.data_status where event_type <> 'unknown' and {OF_EVENT_FILES}"
    )
    assert len(status) == 3 * len(EVENT_TYPES)
    now = datetime.now(UTC)
    for (last_event_at,) in status:
        assert isinstance(last_event_at, datetime)
        assert now - timedelta(days=3) < last_event_at <= now
