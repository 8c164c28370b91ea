"""The digest as an asset, with a job and a schedule: there only with CONTACT_REPORTS_DIGEST."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.operating import SENDS, problems_as_failures
from orchestration.defs.raw_zone import OWNERS
from orchestration.defs.watch import PUBLISHED
from orchestration.lib.monitoring.attention import read_attention
from orchestration.lib.secrets import read_secrets
from orchestration.lib.settings import read_settings
from publications.digest.numbers import period_of, read_digest
from publications.digest.sending import channels, send

JOB = "digest"


def build_defs() -> dg.Definitions:
    """What Dagster knows of the digest. Addresses are read when it is sent: Dagster's page has none."""
    cron = read_settings().digest
    if cron is None:
        return dg.Definitions()
    period = period_of(cron)

    @dg.asset(
        key=dg.AssetKey(["published", "digest"]),
        deps=[PUBLISHED],
        group_name="published",
        owners=OWNERS,
        kinds={"email"},
        description=f"The numbers of each workspace for the last complete {period}, for those who have not got them.",
    )
    def digest(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        settings = read_settings()
        with problems_as_failures(settings, context):
            configured = channels(settings, read_secrets())
            now = datetime.now(UTC)
            found = read_digest(settings, period, now, read_attention(settings, now))
            sent = send(settings.data, configured, found)
        return dg.MaterializeResult(metadata={"sent_to": dg.MetadataValue.json(sent)})

    job = dg.define_asset_job(
        JOB, selection=dg.AssetSelection.assets(digest), description="Send the digest to those who have not got it."
    )

    @dg.schedule(
        name="digest_schedule",
        job=job,
        description=f"Sends the digest of the last complete {period}.",
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def schedule() -> dg.RunRequest:
        return dg.RunRequest(tags={SENDS: "digest"})

    return dg.Definitions(assets=[digest], jobs=[job], schedules=[schedule])
