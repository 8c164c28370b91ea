"""The sensor that keeps Dagster's own storage in order: ends runs whose process died, deletes old ones."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.defs.automation import contact_reports, full_rebuild
from orchestration.defs.digest import JOB as DIGEST_JOB
from orchestration.defs.operating import STARTED_BY
from orchestration.lib.lock import is_held
from orchestration.lib.settings import read_settings

# A run takes the lock in its first seconds and releases it in its last.
_AT_REST = timedelta(minutes=2)
# Deleting a run takes some 20 ms, and a sensor has a minute. Further runs are deleted by the next evaluations.
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
    # Seen in two evaluations in a row: once may be the moment between two runs, when nobody holds the lock.
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
    """Runs that Dagster takes for running while nobody holds the lock. All later runs wait for them.

    Dagster's run monitoring does not detect this for processes that its default launcher started.
    """
    records = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={STARTED_BY: ["schedule", "sensor", "fetch"]})
    )
    at_rest = (now - _AT_REST).timestamp()
    runs = [record.dagster_run for record in records if (record.start_time or now.timestamp()) < at_rest]
    return [] if not runs or is_held(read_settings().data) else runs


def _old_runs(instance: dg.DagsterInstance, now: datetime) -> list[dg.DagsterRun]:
    """The oldest runs that ended longer ago than runs are kept.

    Runs of the API's job are kept: they are short, and without them Dagster does not know which days were fetched.
    """
    runs: list[dg.DagsterRun] = []
    for job_name in (contact_reports.name, full_rebuild.name, DIGEST_JOB):
        runs += instance.get_runs(
            dg.RunsFilter(
                job_name=job_name,
                statuses=_ENDED,
                created_before=now - timedelta(days=read_settings().runs_kept_days),
            ),
            limit=DELETED_AT_ONCE - len(runs),
            ascending=True,
        )
        if len(runs) == DELETED_AT_ONCE:
            break
    return runs
