"""The log of the command line: it goes on, whoever writes to it, and does not grow for ever."""

import logging
from pathlib import Path

import pytest

from orchestration.cli import terminal as command_line


@pytest.fixture(autouse=True)
def _handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])


def lines_of(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if not line.startswith("--- ")]


def test_a_second_run_does_not_empty_the_log_of_the_first_whether_that_has_ended_or_not(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "run.log"
    with command_line.output_in(log):
        print("first")
    with command_line.output_in(log):
        print("second")
        with command_line.output_in(log):
            print("third, beside it")
        print("second again")
    assert lines_of(log) == ["first", "second", "third, beside it", "second again"]
    assert log.read_text().count("--- ") == 3


def test_a_large_log_is_put_aside_and_a_run_that_writes_to_it_still_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "_LOG_BYTES", 1000)
    log = tmp_path / "run.log"
    with command_line.output_in(log):
        print("x" * 2000)
        with command_line.output_in(log):
            print("second")
        print("first again")
    assert lines_of(log) == ["second"]
    assert lines_of(tmp_path / "run.log.1") == ["x" * 2000, "first again"]
