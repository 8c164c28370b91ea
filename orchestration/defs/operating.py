"""The resource that every step of a run shares: the settings, and the lock of the only writer."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager

import dagster as dg

from orchestration.lib.lock import only_writer
from orchestration.lib.monitoring.health import noting_the_run
from orchestration.lib.pipeline import explain
from orchestration.lib.problems import Problem
from orchestration.lib.settings import Settings, read_settings

# At most one run with this tag is executed at a time (dagster.yaml).
STARTED_BY = "contact_reports/started_by"
# At most one run for each value of this tag is executed at a time (dagster.yaml): such runs share the rate of a token.
FETCHES = "contact_reports/fetches"
# The tag of the runs that send the digest. They write nothing into the publication and wait for no other run.
SENDS = "contact_reports/sends"
# The run configuration of a full rebuild.
REBUILD = {"resources": {"operation": {"config": {"rebuild": True}}}}
# A rebuild of many millions of events on the command line takes a quarter of an hour.
LOCK_PATIENCE_SECONDS = 1800
# Retries of a transient problem, and the time between them. If it lasts longer, the next scheduled run tries again.
RETRIES = 3
RETRY_AFTER_SECONDS = 60


class Operation(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The lock of the data folder, held from the first step of a run to the last. All steps run in one process.

    `rebuild` asks for a full rebuild. Nothing is extracted then.
    """

    rebuild: bool = False

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["Operation", None, None]:
        def problem() -> str | None:
            assert context.instance is not None and context.run_id is not None
            return problem_of_run(context.instance, context.run_id)

        data = self.settings.data
        # An unattended run waits for the other run to end.
        patience = LOCK_PATIENCE_SECONDS if is_unattended(context.run) else 0
        with problems_as_failures(self.settings), only_writer(data, patience), noting_the_run(data, problem):
            yield self

    @property
    def settings(self) -> Settings:
        return read_settings()


def is_unattended(run: dg.DagsterRun | None) -> bool:
    """Whether the schedule or a sensor started the run. Such a run may wait and retry. A person may not."""
    return run is not None and not run.tags.keys().isdisjoint((STARTED_BY, FETCHES, SENDS))


@contextmanager
def problems_as_failures(settings: Settings, context: dg.AssetExecutionContext | None = None) -> Iterator[None]:
    """Turn an error that an operator can cure into a failure whose description is one line, not a stack trace.

    With the context of a step of an unattended run, transient problems are retried before they fail.
    """
    try:
        yield
    except Exception as error:
        problem = explain(error, settings)
        if problem is None:
            raise
        if (
            problem.is_transient
            and context is not None
            and is_unattended(context.run)
            and context.retry_number < RETRIES
        ):
            context.log.warning(f"Tried again in {RETRY_AFTER_SECONDS} s: {problem}")
            raise dg.RetryRequested(RETRIES, RETRY_AFTER_SECONDS) from error
        raise dg.Failure(description=str(problem), allow_retries=False) from error


def problem_of_run(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """What made a run fail, so far, on one line; None when nothing did."""
    failed = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    records = instance.get_records_for_run(run_id, of_type=failed).records
    return problem_in(record.event_log_entry.get_dagster_event() for record in records)


def problem_in(events: Iterable[dg.DagsterEvent]) -> str | None:
    """What the first failure among events says, on one line; None when there is no failure."""
    said = None
    for event in events:
        if not event.is_failure:
            continue
        error = getattr(event.event_specific_data, "error", None)
        if error is None:
            said = said or event.message or "it says no more"
            continue
        while error.cause is not None and "Failure: " not in error.message:
            error = error.cause
        if "Failure: " in error.message:
            return " ".join(error.message.split("Failure: ", 1)[1].split())
        return f"The run failed: {' '.join(error.message.split())}"
    return said


def was_interrupted(events: Iterable[dg.DagsterEvent]) -> bool:
    """Whether a run failed because somebody stopped it: the error of an event, or one of its causes, says so."""
    for event in events:
        error = getattr(event.event_specific_data, "error", None) if event.is_failure else None
        while error is not None:
            if error.cls_name == "DagsterExecutionInterruptedError":
                return True
            error = error.cause
    return False


__all__ = ["Operation", "Problem", "problem_in", "problem_of_run", "problems_as_failures", "was_interrupted"]
