"""The sensor that keeps Dagster's own storage in order: ends runs whose process died, deletes old ones."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.defs.automation import contact_reports
from orchestration.defs.operating import STARTED_BY
from orchestration.lib.lock import is_held
from orchestration.lib.settings import read_settings

# A run takes the lock in its first seconds, and lets it go in its last.
_AT_REST = timedelta(minutes=2)
# Deleting one takes some 20 ms, and a sensor has a minute: what is more waits for the next looks.
DELETED_AT_ONCE = 100
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.sensor(
    name="upkeep",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs whose process died, and deletes runs older than CONTACT_REPORTS_RUNS_KEPT_DAYS.",
)
def upkeep_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    now, instance = datetime.now(UTC), context.instance
    suspects = _runs_without_a_process(instance, now)
    before = json.loads(context.cursor) if context.cursor else []
    # Twice in a row, as the lock may have been free for the moment between two runs.
    dead = [run for run in suspects if run.run_id in before]
    for run in dead:
        instance.report_run_failed(run, "The process of this run died: it was killed, or the machine went down")
    old = _old_runs(instance, now)
    for run in old:
        instance.delete_run(run.run_id)
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
    return dg.SensorResult(
        skip_reason=f"{len(dead)} runs ended, {len(old)} deleted", cursor=json.dumps([run.run_id for run in suspects])
    )


def _runs_without_a_process(instance: dg.DagsterInstance, now: datetime) -> list[dg.DagsterRun]:
    """Runs that count as under way, and hold up all that come after them, though nobody holds their lock.

    Dagster's monitoring cannot see that of processes that it started itself.
    """
    records = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={STARTED_BY: ["schedule", "sensor", "fetch"]})
    )
    at_rest = (now - _AT_REST).timestamp()
    runs = [record.dagster_run for record in records if (record.start_time or now.timestamp()) < at_rest]
    return [] if not runs or is_held(read_settings().data) else runs


def _old_runs(instance: dg.DagsterInstance, now: datetime) -> list[dg.DagsterRun]:
    """The oldest runs that ended too long ago to be of interest.

    Those of the API's job stay: they are short, and with them Dagster would forget which days were fetched.
    """
    return list(
        instance.get_runs(
            dg.RunsFilter(
                job_name=contact_reports.name,
                statuses=_ENDED,
                created_before=now - timedelta(days=read_settings().runs_kept_days),
            ),
            limit=DELETED_AT_ONCE,
            ascending=True,
        )
    )
