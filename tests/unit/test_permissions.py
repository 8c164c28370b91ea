"""Who may read what the project writes."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.settings import PROJECT_ROOT, Settings, guard, read_settings
from orchestration.lib.warehouse.publish import publish


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CONTACT_REPORTS_GROUP_READS", raising=False)
    return read_settings()


def publish_something(settings: Settings) -> None:
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create schema if not exists intermediate")
    publish(settings)


def test_the_publication_is_its_owners_alone(settings: Settings) -> None:
    publish_something(settings)
    assert mode(settings.data) == 0o700
    assert mode(settings.published.parent) == 0o700
    assert mode(settings.published) == 0o400


def test_the_group_reads_the_publication_and_nothing_else_when_it_is_told_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_GROUP_READS", "true")
    settings = read_settings()
    (settings.data / "raw").mkdir(parents=True)
    publish_something(settings)
    assert mode(settings.data) == 0o710, "it goes through the folder, and does not see what is in it"
    assert mode(settings.published.parent) == 0o750
    assert mode(settings.published) == 0o440
    assert mode(settings.raw) == 0o700


def test_a_publication_that_was_restored_so_that_it_can_be_written_loses_that_permission(settings: Settings) -> None:
    publish_something(settings)
    settings.published.chmod(0o644)
    guard(settings)
    assert mode(settings.published) == 0o400


def test_a_data_folder_that_all_could_read_is_closed(settings: Settings) -> None:
    publish_something(settings)
    settings.published.chmod(0o644)
    settings.data.chmod(0o755)
    guard(settings)
    assert mode(settings.data) == 0o700
    assert mode(settings.published) == 0o400


def test_permission_that_somebody_took_from_the_owner_is_given_back(settings: Settings) -> None:
    publish_something(settings)
    settings.published.parent.chmod(0o555)
    guard(settings)
    assert mode(settings.published.parent) == 0o700


@pytest.mark.parametrize("reason", [errno.EPERM, errno.EROFS], ids=["of another user", "mounted read-only"])
def test_a_folder_that_is_not_ours_to_guard_stops_nobody_who_does_not_write_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    publish_something(settings)
    settings.published.parent.chmod(0o750)

    def refuse(path: Path, mode: int) -> None:
        raise OSError(reason, os.strerror(reason), str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    guard(settings)


def test_every_process_of_ours_writes_for_its_owner_alone(tmp_path: Path) -> None:
    code = f"import os; os.umask(0o022); import orchestration.lib; open({str(tmp_path / 'file')!r}, 'w').close()"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, check=True)
    assert mode(tmp_path / "file") == 0o600
