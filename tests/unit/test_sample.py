"""Shows that the sample workspaces are reproducible, only ever grow, and hold all that a landing may hold."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.lib.sample import write_sample
from tests.reckoning import EVENT_TYPES, Reckoning

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
        "harbour/events/2026-11-19.jsonl.gz",
        "lumiere/events/2026-11-19.csv",
    }


def test_a_killed_generation_is_finished_by_the_next(folder: Path, sample_files: dict[str, bytes]) -> None:
    for name in sample_files:
        if name.startswith("lumiere") or "2026-11-1" in name or name == "workspaces.csv":
            (folder / name).unlink()
    assert write_sample(folder, NOW)
    assert files_in(folder) == sample_files


def test_three_zones_hold_all_that_can_go_wrong_and_nothing_after_now(folder: Path) -> None:
    reckoning = Reckoning()
    reckoning.load(folder, NOW)
    assert {row["timezone"] for row in reckoning.view("workspaces")} == {
        "America/Sao_Paulo",
        "Europe/Paris",
        "Asia/Kuala_Lumpur",
    }

    balance = reckoning.view("load_balance")
    landed, superseded, rejected = (
        sum(int(str(row[f"records_{state}"])) for row in balance) for state in ("landed", "superseded", "rejected")
    )
    assert 45_000 <= landed <= 55_000
    assert 0.01 < superseded / landed < 0.02
    assert 0.002 < rejected / landed < 0.004
    assert {row["reason"] for row in reckoning.view("rejected_records")} == {
        "malformed_record",
        "missing_field",
        "invalid_contact_id",
        "invalid_occurred_at",
        "source_not_allowed",
    }

    assert {row["is_deleted"] for row in reckoning.view("users")} == {True, False}
    assert {row["is_deleted"] for row in reckoning.view("channels")} == {True, False}

    status = [row for row in reckoning.view("data_status") if row["event_type"] != "unknown"]
    assert len(status) == 3 * len(EVENT_TYPES)
    for row in status:
        assert isinstance(row["last_event_at"], datetime)
        assert NOW - timedelta(days=3) < row["last_event_at"] <= NOW
