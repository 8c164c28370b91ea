"""What comes by respond.io's API: an asset for each workspace that has a token, by the day contacts were created."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import dagster as dg

from orchestration.defs.automation import contact_reports, nothing_new
from orchestration.defs.operating import FETCHES, STARTED_BY, problems_as_failures
from orchestration.defs.raw_zone import LANDING, OWNERS
from orchestration.lib.extraction.workspaces import check_workspaces
from orchestration.lib.landing.listing import Landing
from orchestration.lib.problems import Problem
from orchestration.lib.progress import report
from orchestration.lib.respond_io.client import Client
from orchestration.lib.respond_io.fetch import check_workspace_id, days_to_fetch, fetch_contacts, fetch_directories
from orchestration.lib.secrets import read_secrets
from orchestration.lib.settings import read_settings

# respond.io opened in 2017: no contact is older.
FIRST_DAY = date(2017, 1, 1)
# The current day is a partition too. It is fetched as far as it has come.
DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC", end_offset=1)

# No publishing run follows a fetch with this tag: the command that started it publishes by itself.
BY_COMMAND = "contact_reports/by_command"


def build_defs() -> dg.Definitions:
    """What Dagster knows of the API: nothing at all without a token. The landing folder is not looked at."""
    workspace_ids = workspaces_with_token()
    if not workspace_ids:
        return dg.Definitions()
    assets = [_api_asset(workspace_id) for workspace_id in workspace_ids]
    job = dg.define_asset_job(
        "respond_io_api",
        selection=dg.AssetSelection.assets(*assets),
        description="Fetch contacts, users and channels from respond.io's API into the landing folder.",
    )

    @dg.schedule(
        name="respond_io_api_schedule",
        job=job,
        description="Fetches each workspace's days from the newest that was fetched to today.",
        cron_schedule=read_settings().schedule,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        """A run for each workspace, over the days from the newest that was fetched to today."""
        landing = Landing(read_settings().own_landing_url)
        today = datetime.now(UTC).date()
        for workspace_id in workspace_ids:
            first, last = days_to_fetch(landing, workspace_id, today)
            yield dg.RunRequest(
                run_key=f"{workspace_id} {context.scheduled_execution_time.isoformat()}",
                asset_selection=[api_key(workspace_id)],
                tags={FETCHES: workspace_id, **days_as_tags(first, last)},
            )

    # The end of a fetch starts the publishing run, not the clock: a fetch or a backfill may take hours.
    @dg.run_status_sensor(
        name="contacts_fetched",
        description="Starts a run that builds and publishes what was fetched.",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[job],
        request_job=contact_reports,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def fetched(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        """Build and publish what was fetched."""
        if BY_COMMAND in context.dagster_run.tags:
            return dg.SkipReason("It was fetched by a command, which publishes itself if it was asked to")
        if skip := nothing_new(context.instance, context.log):
            return skip
        # Runs with this tag wait for one another, as those of the schedule do.
        return dg.RunRequest(run_key=context.dagster_run.run_id, tags={STARTED_BY: "fetch"})

    return dg.Definitions(
        assets=assets, asset_checks=[every_workspace_has_a_token], jobs=[job], schedules=[schedule], sensors=[fetched]
    )


def workspaces_with_token() -> list[str]:
    return sorted(read_secrets().api_tokens)


def api_key(workspace_id: str) -> dg.AssetKey:
    return dg.AssetKey(["api", workspace_id])


def days_as_tags(first: date, last: date) -> dict[str, str]:
    """The tags by which Dagster knows that a run is for a range of partitions."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


@dg.asset_check(
    asset=LANDING.key,
    description="Workspaces that others are fetched beside, but that have no token in CONTACT_REPORTS_API_TOKENS.",
)
def every_workspace_has_a_token() -> dg.AssetCheckResult:
    """Warn of workspaces in workspaces.csv that are skipped."""
    skipped = skipped_for_want_of_a_token()
    return dg.AssetCheckResult(passed=skipped is None, severity=dg.AssetCheckSeverity.WARN, description=skipped)


def skipped_for_want_of_a_token() -> str | None:
    """The workspaces of workspaces.csv that are not fetched, in a sentence; None when all of them are."""
    try:
        skipped = without_token(Landing(read_settings().own_landing_url))
    except Problem:
        return None  # The run reports what is wrong with workspaces.csv.
    return f"Not fetched from respond.io's API, for want of a token: {', '.join(skipped)}" if skipped else None


def without_token(landing: Landing) -> list[str]:
    """The workspaces of workspaces.csv that have no token."""
    workspaces = check_workspaces(landing, landing.list(), read_settings().encoding)
    return sorted(workspaces.ids - read_secrets().api_tokens.keys())


def _api_asset(workspace_id: str) -> dg.AssetsDefinition:
    check_workspace_id(workspace_id)

    @dg.multi_asset(
        name=_op_name(workspace_id),
        # Dagster would derive the name from the key. A workspace's id may have characters that a name may not.
        outs={
            "fetched": dg.AssetOut(
                key=api_key(workspace_id),
                group_name="respond_io",
                owners=OWNERS,
                kinds={"file"},
                description=f"The contacts that workspace {workspace_id} had created on each day (UTC), and its users "
                "and channels as they are, fetched into the landing folder.",
            )
        },
        partitions_def=DAYS,
        # A range of days is one run, so that one client keeps to the rate. Each day is a file of its own.
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def fetch(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[None]]:
        settings = read_settings()
        landing = Landing(settings.own_landing_url)
        key, days = api_key(workspace_id), list(context.partition_keys)
        came: dict[str, dict[str, int | float | str]] = {}
        with problems_as_failures(settings, context), _client(workspace_id) as client:
            for done, day in enumerate(days):
                report(f"fetching {workspace_id}", done, len(days))
                requests, waited = client.requests, client.waited
                try:
                    fetched = fetch_contacts(client, landing, date.fromisoformat(day), datetime.now(UTC))
                except Exception:
                    # A failed run materializes nothing. Report the days that were fetched before the failure.
                    for earlier, metadata in came.items():
                        yield dg.AssetMaterialization(key, partition=earlier, metadata=metadata)
                    raise
                came[day] = {
                    "contacts": fetched.contacts,
                    "requests": client.requests - requests,
                    "waited_seconds": round(client.waited - waited, 1),
                    "file": fetched.file or "none: the day has not begun",
                }
                context.log.info(f"{day}: {came[day]}")
                context.add_asset_metadata(came[day], asset_key=key, partition_key=day)
            fetch_directories(client, landing)
            report(f"fetching {workspace_id}", len(days), len(days))
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={"requests_of_the_run": client.requests, "waited_seconds_of_the_run": round(client.waited, 1)},
        )

    return fetch


def _client(workspace_id: str) -> Client:
    settings, tokens = read_settings(), read_secrets().api_tokens
    if workspace_id not in tokens:
        raise Problem(f"Workspace {workspace_id!r} has no token", "Give it one in CONTACT_REPORTS_API_TOKENS")
    return Client(workspace_id, tokens[workspace_id], settings.api_url, rate=settings.api_rate)


def _op_name(workspace_id: str) -> str:
    """A name that Dagster allows, another one for each workspace."""
    if re.fullmatch("[A-Za-z0-9_]+", workspace_id):
        return f"fetch_{workspace_id}"
    digest = hashlib.sha256(workspace_id.encode()).hexdigest()[:8]
    return f"fetch_{re.sub('[^A-Za-z0-9_]', '_', workspace_id)}__{digest}"
