"""What is reported of a run that failed."""

from collections.abc import Callable

import dagster as dg
import pytest

from orchestration.defs.operating import was_interrupted


def cleaning_up_fails() -> None:
    raise ValueError("an error while cleaning up") from dg.DagsterExecutionInterruptedError()


def stopped() -> None:
    raise dg.DagsterExecutionInterruptedError


def broken() -> None:
    raise ValueError("an error of its own") from KeyError("something else")


@pytest.mark.parametrize(("step", "interrupted"), [(cleaning_up_fails, True), (stopped, True), (broken, False)])
def test_a_run_that_was_stopped_is_told_from_one_that_broke(step: Callable[[], None], *, interrupted: bool) -> None:
    @dg.op
    def only_step() -> None:
        step()

    @dg.job
    def job() -> None:
        only_step()

    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    assert was_interrupted(result.all_events) is interrupted
