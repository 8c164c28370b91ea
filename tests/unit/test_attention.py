"""What needs somebody, as the digest says it: in counts, without a word of a record or of a file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.lib.extraction.extract import UnreadFiles
from orchestration.lib.monitoring.attention import Attention, read_attention
from orchestration.lib.monitoring.health import note_run, note_unread_files
from orchestration.lib.settings import Settings, read_settings
from tests.published_by_hand import publish_by_hand

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings().model_copy(update={"data": tmp_path})


def test_there_is_nothing_to_say_of_a_healthy_publication(settings: Settings) -> None:
    publish_by_hand(settings.published, newest_event_at=NOW)
    found = read_attention(settings, NOW)
    assert (found.of_all, found.of_workspaces) == ([], {})
    assert found.up_to_date_at is not None and NOW - found.up_to_date_at < timedelta(minutes=5)


def test_findings_are_counted_by_workspace_and_name_no_person_and_no_file(settings: Settings) -> None:
    refused = [("acme", "acme/report_logs/Zebulon Quux.csv", "Zebulon Quux,48123"), ("other", "other/a.csv", "Quux")]
    publish_by_hand(settings.published, gaps=["2026-11-01", "2026-11-05"], refused=refused)
    note_unread_files(settings.data, UnreadFiles(listed=["acme/events/Quux.parquet is not loaded: it is empty"]))
    note_run(settings.data, "The file Quux.csv cannot be read")
    found = read_attention(settings, NOW)
    assert found.of_all == [
        "The last run failed: `make status` says why",
        "Files that were not loaded: 1, see `make status`",
        f"Refused files: 1, loaded {NOW:%Y-%m-%d}, see quality.refused_files "
        "(of workspaces that are not in workspaces.csv)",
    ]
    assert found.of_workspaces == {
        "acme": [
            "Gaps in logs: 2, days of 2026-11-01 to 2026-11-05, see quality.report_log_gaps",
            f"Refused files: 1, loaded {NOW:%Y-%m-%d}, see quality.refused_files",
        ]
    }
    assert "Quux" not in repr(found)


def test_a_stale_publication_is_said(settings: Settings) -> None:
    publish_by_hand(settings.published, newest_event_at=NOW)
    [line] = read_attention(settings, NOW + timedelta(hours=25)).of_all
    assert line.startswith("The publication is stale: no run has succeeded since")


def test_a_missing_publication_and_a_damaged_one_are_said(settings: Settings) -> None:
    assert read_attention(settings, NOW) == Attention(None, ["Nothing is published yet"], {})
    settings.published.parent.mkdir()
    settings.published.write_bytes(b"damaged")
    assert read_attention(settings, NOW) == Attention(
        None, ["The publication cannot be read: `make status` says why"], {}
    )
