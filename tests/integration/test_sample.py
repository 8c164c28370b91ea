"""Shows that the sample workspaces are reproducible, only ever grow, and hold all that a landing may hold."""

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.sample.sample import write_sample
from tests.harness import Pipeline
from tests.reckoning import EVENT_TYPES

# The other workspaces bring what their connectors make of the same stories.
OF_EVENT_FILES = "workspace_id not in ('bergwerk', 'tui')"
NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sample")
    assert write_sample(folder, NOW)
    return files_in(folder)


@pytest.fixture
def folder(tmp_path: Path, sample_files: dict[str, bytes]) -> Path:
    """A folder that holds the sample."""
    for name, content in sample_files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def test_the_same_moment_gives_the_same_bytes(tmp_path: Path, sample_files: dict[str, bytes]) -> None:
    write_sample(tmp_path, NOW)
    assert files_in(tmp_path) == sample_files


def test_a_second_call_on_the_same_day_writes_nothing(folder: Path, sample_files: dict[str, bytes]) -> None:
    assert not write_sample(folder, NOW + timedelta(hours=5))
    assert files_in(folder) == sample_files


def test_the_next_day_adds_only_its_own_files(folder: Path, sample_files: dict[str, bytes]) -> None:
    assert write_sample(folder, NOW + timedelta(days=1))
    files = files_in(folder)
    assert files.items() >= sample_files.items()
    assert files.keys() - sample_files.keys() == {
        "aurora/events/2026-11-19.jsonl",
        *(f"bergwerk/report_logs/contacts-{log}-2026-11-19.csv" for log in EVENT_TYPES),
        "harbour/events/2026-11-19.jsonl.gz",
        "lumiere/events/2026-11-19.csv",
        # Of a day that was not over the rest, and of the next what there is; each with an hour of overlap.
        "tui/api/contacts-20261118T1330Z-20261119T0000Z.jsonl",
        "tui/api/contacts-20261118T2300Z-20261119T1430Z.jsonl",
        "tui/webhooks/2026-11-19.jsonl",
    }


def test_a_killed_generation_is_finished_by_the_next(folder: Path, sample_files: dict[str, bytes]) -> None:
    for name in sample_files:
        if name.startswith(("lumiere", "tui/api/contacts-202611")) or "2026-11-1" in name or name == "workspaces.csv":
            (folder / name).unlink()
    assert write_sample(folder, NOW)
    assert files_in(folder) == sample_files


def test_every_contact_of_the_api_lies_in_the_day_it_was_created_and_connects_by_webhooks(folder: Path) -> None:
    created: dict[int, int] = {}
    for path in (folder / "tui" / "api").glob("contacts-*.jsonl"):
        _, begin, end = path.stem.split("-")
        for contact in map(json.loads, path.read_text().splitlines()):
            assert begin <= f"{datetime.fromtimestamp(contact['created_at'], UTC):%Y%m%dT%H%MZ}" <= end
            created[contact["id"]] = contact["created_at"]
    assert len(created) > 1000
    assert max(created.values()) <= NOW.timestamp()
    bodies = [
        json.loads(line) for path in (folder / "tui" / "webhooks").iterdir() for line in path.read_text().splitlines()
    ]
    assert {body["event_type"] for body in bodies} == {
        "contact.created",
        "message.received",
        "message.sent",
        "conversation.closed",
    }
    assert {body["message"]["status"][-1]["value"] for body in bodies if "message" in body} == {"delivered", "failed"}
    assert len({body["event_id"] for body in bodies}) == len(bodies)
    for body in bodies:
        assert created.get(body["contact"]["id"]) == body["contact"]["created_at"]


def test_every_row_of_the_report_logs_is_downloaded_again_and_one_day_never(folder: Path) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    texts: set[str] = set()
    for path in (folder / "bergwerk" / "report_logs").iterdir():
        with path.open(newline="") as file:
            rows = list(csv.reader(file))[1:]
        texts.update(value for row in rows for value in row)
        if "added" in path.name:
            seen.update(map(tuple, rows))
    first = (NOW - timedelta(days=89)).date()
    days = {date.fromisoformat(row[0][:10]) for row in seen}
    every_day = {first + timedelta(days=number) for number in range(90)}
    assert every_day - days == {first + timedelta(days=70)}
    assert sum(count > 1 for count in seen.values()) / len(seen) > 0.9
    assert {"-", "Paid Ads", "'=Kathi=", 'Basti "Beast" K.', "Annika Vogt", "90133"} <= texts


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
