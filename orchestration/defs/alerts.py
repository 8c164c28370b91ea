"""The sensor that reports what went wrong, in the log and to CONTACT_REPORTS_ALERT_URL where it is set."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.defs.operating import problem_of_run
from orchestration.lib.monitoring import alerts
from orchestration.lib.monitoring.health import read_health, read_unread_files
from orchestration.lib.problems import Problem
from orchestration.lib.settings import read_settings

# Runs may be recorded in another order than they ended in.
_OVERLAP = timedelta(minutes=1)
_RUNS_AT_ONCE = 200


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports failed runs, new rejects, stale data, files that were not read, cut and missing exports.",
)
def alerts_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Log each alert once and post it. What cannot be posted is posted with the next evaluation."""
    state = alerts.AlertState.model_validate_json(context.cursor) if context.cursor else alerts.AlertState()
    found = [str(alert) for alert in _alerts(context.instance, state, datetime.now(UTC))]
    for line in found:
        context.log.warning(line)
    state.unsent = [*state.unsent, *found][-alerts.UNSENT_AT_MOST :]
    refused = alerts.post(state.unsent)
    if refused is None:
        state.unsent = []
    else:
        context.log.error(f"{len(state.unsent)} alerts wait: posting to CONTACT_REPORTS_ALERT_URL failed ({refused})")
    return dg.SensorResult(
        skip_reason=f"{len(found)} new alerts, {len(state.unsent)} wait to be posted", cursor=state.model_dump_json()
    )


def _alerts(instance: dg.DagsterInstance, state: alerts.AlertState, now: datetime) -> Iterator[alerts.Alert]:
    yield from alerts.of_runs(state, _ended_runs(instance, state, now))
    try:
        health = read_health(read_settings())
    except Problem as problem:
        yield from alerts.of_unreadable_publication(state, str(problem))
    else:
        yield from alerts.of_health(state, health, now)
    yield from alerts.of_unread_files(state, read_unread_files(read_settings().data).warnings)


def _ended_runs(instance: dg.DagsterInstance, state: alerts.AlertState, now: datetime) -> Iterator[alerts.EndedRun]:
    """Runs that ended since the last look, in order; on the first one, those of the last hour."""
    records = instance.get_run_records(
        dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
            updated_after=(state.runs_until or now - timedelta(hours=1)) - _OVERLAP,
        ),
        limit=_RUNS_AT_ONCE,
        order_by="update_timestamp",
        ascending=True,
    )
    for record in records:
        run = record.dagster_run
        made = sorted(key.to_user_string() for key in run.asset_selection or ())
        problem = None
        if run.status == dg.DagsterRunStatus.FAILURE:
            problem = problem_of_run(instance, run.run_id) or "it says no more; look at its page in Dagster"
        yield alerts.EndedRun(run.run_id, " ".join([run.job_name, *made[:1]]), problem)
        state.runs_until = record.update_timestamp.replace(tzinfo=record.update_timestamp.tzinfo or UTC)
