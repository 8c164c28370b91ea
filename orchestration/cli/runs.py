"""Runs Dagster's jobs in this process, and says how they ended."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from orchestration.lib.monitoring.health import read_unread_files
from orchestration.lib.problems import Problem
from orchestration.lib.settings import Settings
from publications.interface import Publication

if TYPE_CHECKING:
    from dagster import AssetCheckEvaluation, ExecuteInProcessResult

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def fetch(
    settings: Settings, workspace_ids: Sequence[str], first: date | None = None, last: date | None = None
) -> tuple[list[str], list[str]]:
    """Fetch some days of some workspaces. Returns a line for each workspace, and the problems of those that failed.

    Dagster's job fetches them, so that its page shows the days that a command fetched too.
    """
    if not workspace_ids:
        return [], []
    import dagster as dg

    from orchestration.defs import respond_io
    from orchestration.lib.landing.listing import Landing
    from orchestration.lib.respond_io.fetch import days_to_fetch

    landing = Landing(settings.own_landing_url)
    today = datetime.now(UTC).date()
    job = respond_io.build_defs().resolve_job_def("respond_io_api")
    lines, failures = [], []
    with dg.DagsterInstance.get() as instance:
        for workspace_id in workspace_ids:
            try:
                begin, end = days_to_fetch(landing, workspace_id, today)
                begin, end = first or (min(begin, last) if last else begin), last or end
                if not respond_io.FIRST_DAY <= begin <= end <= today:
                    raise Problem(
                        f"There are no days from {begin} to {end}",
                        f"The first there is is {respond_io.FIRST_DAY}, the last {today} (UTC)",
                    )
                result = job.execute_in_process(
                    instance=instance,
                    asset_selection=[respond_io.api_key(workspace_id)],
                    tags={respond_io.BY_COMMAND: "fetch", **respond_io.days_as_tags(begin, end)},
                    raise_on_error=False,
                    run_config=_QUIET,
                )
                if not result.success:
                    raise _problem(result, settings)
            except Problem as problem:
                failures.append(str(problem))
                lines.append(f"{workspace_id}: failed")
                continue
            days = [event.materialization.metadata for event in result.get_asset_materialization_events()]
            contacts = sum(int(str(day["contacts"].value)) for day in days)
            requests, waited = (days[-1][f"{name}_of_the_run"].value for name in ("requests", "waited_seconds"))
            lines.append(
                f"{workspace_id}: {begin} to {end}, {contacts:,} contacts; {requests:,} requests, {waited} s waited"
            )
    with contextlib.suppress(Problem):  # without workspaces.csv, which is not needed for this
        lines += [f"{skipped}: skipped, it has no token" for skipped in respond_io.without_token(landing)]
    return lines, failures


def execute(settings: Settings, *, rebuild: bool = False, publications: Sequence[Publication] = ()) -> list[str]:
    """Run the job in this process, or only its part that makes these publications.

    Returns its warnings; raises Problem with what an operator can do otherwise.
    """
    # Imported here: it takes seconds, and a wrong setting is reported before.
    import dagster as dg

    from orchestration.definitions import defs
    from orchestration.defs.operating import REBUILD
    from orchestration.defs.publications import key_of
    from orchestration.lib.raw_zone.zone import RawZone
    from orchestration.lib.warehouse.plan import plan

    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("full_rebuild" if rebuild else "contact_reports").execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config=_QUIET | (REBUILD if rebuild else {}),
            asset_selection=[key_of(one) for one in publications] or None,
        )
        if result.success:
            with RawZone(settings.raw).at_rest():
                todo = plan(settings)
            if not todo.nothing_to_do:
                raise Problem(f"The run ended without a publication: {todo.reason}", "Run it again")
            # If a step was retried, the last result of each check counts.
            checks = {check.asset_check_key: check for check in result.get_asset_check_evaluations()}
            return [line for check in checks.values() if not check.passed for line in _in_words(check, settings)]
        raise _problem(result, settings)


def _problem(result: "ExecuteInProcessResult", settings: Settings) -> Problem:
    """What made a run of Dagster's fail."""
    from orchestration.defs.operating import problem_in, was_interrupted

    if was_interrupted(result.all_events):
        raise KeyboardInterrupt
    problem = problem_in(result.all_events) or "The run failed"
    # One line is not enough to understand an unexpected error.
    return Problem(problem, f"The whole story is in {settings.data / 'logs'}" if "The run failed" in problem else None)


def _in_words(check: "AssetCheckEvaluation", settings: Settings) -> list[str]:
    """What a check found, as sentences. Empty for findings that last: the summary has them.

    dbt's tests report the number of rows, the project's own checks describe what they found.
    """
    from orchestration.lib.monitoring.summary import is_standing, new_rejects

    if check.check_name == "every_file_was_read":
        unread = read_unread_files(settings.data).warnings
        return [line for line in (check.description or "").splitlines() if line not in unread]
    if is_standing(check.check_name):
        return []
    if check.check_name == "new_rejects":
        return [new_rejects(settings)]
    rows = check.metadata.get("dagster_dbt/failed_row_count")
    found = f"it found {rows.value} rows" if rows else "see the log"
    return [check.description or f"the check {check.check_name} does not pass: {found} (docs/runbook.md, Checks)"]
