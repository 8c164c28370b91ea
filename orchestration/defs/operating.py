"""The resource every step of a run shares: the settings, and the lock that makes it the only writer."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import dagster as dg

from orchestration.lib.lock import only_writer
from orchestration.lib.pipeline import explain
from orchestration.lib.problems import Problem
from orchestration.lib.settings import Settings, read_settings


class Operation(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Held from a run's first step to its last. The executor runs all steps in one process for that.

    `rebuild` builds everything from the raw zone, whatever is published.
    """

    rebuild: bool = False

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["Operation", None, None]:
        with problems_as_failures(self.settings), only_writer(self.settings.data):
            yield self

    @property
    def settings(self) -> Settings:
        return read_settings()


@contextmanager
def problems_as_failures(settings: Settings) -> Iterator[None]:
    """Turn what an operator can mend into a failure whose description is one line, not a stack trace."""
    try:
        yield
    except Exception as error:
        problem = explain(error, settings)
        if problem is None:
            raise
        raise dg.Failure(description=str(problem), allow_retries=False) from error


__all__ = ["Operation", "Problem", "problems_as_failures"]
