"""What breaks around a run, or was broken before it: what is said, that nothing is lost, and what brings it back."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.lib.extraction import extract
from orchestration.lib.lock import only_writer
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.zone import RawZone
from tests.faults.commands import ADDED, land
from tests.harness import Pipeline


def batch(pipeline: Pipeline, number: int) -> Path:
    """The folder of a batch."""
    return RawZone(pipeline.settings.raw).folder_of(number)


def children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def test_a_holder_that_died_is_no_obstacle(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        with only_writer(tmp_path):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert f"process {child} " in (tmp_path / "run.holder").read_text()
    with only_writer(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / "run.holder").read_text()


@pytest.mark.slow
def test_a_clock_that_was_set_back_loads_nothing_until_it_is_right(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(pipeline, 3)
    with monkeypatch.context() as patch:
        patch.setattr(extract, "datetime", clock_of(datetime.now(UTC) - timedelta(days=400)))
        with pytest.raises(Problem, match=r"The clock says .* but batch 2 was loaded at .*\. Set the clock right"):
            pipeline.run()
    with monkeypatch.context() as patch:
        patch.setattr(extract, "datetime", clock_of(datetime.now(UTC) - timedelta(hours=23)))
        pipeline.run()
    assert pipeline.query(ADDED) == [(1,), (2,), (3,)]


def clock_of(moment: datetime) -> type[datetime]:
    """A clock that stands; the machine's own cannot be moved without harm to others."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return moment

    return Clock
