"""The published file, put in place when everything passed."""

import dagster as dg

from orchestration.defs.operating import Operation, problems_as_failures
from orchestration.defs.raw_zone import OWNERS
from orchestration.defs.warehouse import dbt_models
from orchestration.defs.watch import PUBLISHED
from orchestration.lib.monitoring.health import PUBLISHED_WITHIN, read_health
from orchestration.lib.progress import announce
from orchestration.lib.raw_zone.compaction import compact
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.warehouse.build import remove_mark, require_tested
from orchestration.lib.warehouse.publish import publish


@dg.asset(
    key=PUBLISHED,
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
        require_tested(settings)
        announce(f"publishing {settings.published}")
        warnings = publish(settings)
        remove_mark(settings)
        # Last, as readers need not wait for it.
        compact(RawZone(settings.raw))
        metadata: dict[str, dg.MetadataValue] = {
            "path": dg.MetadataValue.path(settings.published),
            "megabytes": dg.MetadataValue.float(settings.published.stat().st_size / 1e6),
        }
        if newest := read_health(settings).newest_event_at:
            metadata["newest_event"] = dg.MetadataValue.timestamp(newest)
    written = dg.AssetCheckResult(
        check_name="no_program_wrote_into_it",
        passed=not warnings,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(warnings) or None,
    )
    return dg.MaterializeResult(metadata=metadata, check_results=[written])
