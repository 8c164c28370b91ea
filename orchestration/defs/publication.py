"""The published file: put in place when everything passed, and watched for going stale."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.operating import Operation, problems_as_failures
from orchestration.defs.raw_zone import OWNERS
from orchestration.defs.warehouse import dbt_models
from orchestration.lib import warehouse
from orchestration.lib.compaction import compact
from orchestration.lib.health import NEWEST_EVENT_WITHIN, PUBLISHED_WITHIN
from orchestration.lib.published import open_published
from orchestration.lib.raw_zone import RawZone
from orchestration.lib.settings import read_settings


@dg.asset(
    key=["published", "contact_reports"],
    deps=dbt_models.keys,
    group_name="published",
    owners=OWNERS,
    kinds={"duckdb"},
    description="The file that people and BI tools read, replaced in one step when every test has passed.",
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=PUBLISHED_WITHIN),
    check_specs=[
        dg.AssetCheckSpec(
            "no_program_wrote_into_it",
            asset=["published", "contact_reports"],
            description="Warns of what another program left beside the published file during the run, and was removed.",
        )
    ],
)
def published(operation: Operation) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Put the warehouse in the place of the publication."""
    settings = operation.settings
    with problems_as_failures(settings):
        warnings = warehouse.publish(settings)
        # Now that nobody waits for it any more.
        compact(RawZone(settings.raw))
        metadata: dict[str, dg.MetadataValue] = {
            "path": dg.MetadataValue.path(settings.published),
            "megabytes": dg.MetadataValue.float(settings.published.stat().st_size / 1e6),
        }
        if newest := _newest_event():
            metadata["newest_event"] = dg.MetadataValue.timestamp(newest)
    written = dg.AssetCheckResult(
        check_name="no_program_wrote_into_it",
        passed=not warnings,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(warnings) or None,
    )
    return dg.MaterializeResult(metadata=metadata, check_results=[written])


@dg.asset_check(
    asset=published,
    description="The newest event of the data itself: a run that finds nothing new is fresh, its data is not.",
)
def newest_event_is_recent() -> dg.AssetCheckResult:
    """Warn when no event has happened for longer than is usual."""
    newest = _newest_event()
    return dg.AssetCheckResult(
        passed=newest is not None and datetime.now(UTC) - newest <= NEWEST_EVENT_WITHIN,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"The newest event happened at {newest}" if newest else "There is no event",
    )


def _newest_event() -> datetime | None:
    with open_published(read_settings().published) as connection:
        row = connection.execute("select epoch_us(max(last_event_at)) from reports.data_status").fetchone()
    if row is None or row[0] is None:
        return None
    return datetime.fromtimestamp(row[0] / 1e6, UTC)
