"""Checks of the published file that do not hold a run back: how old its data is, and what its exports lack."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from orchestration.lib.monitoring.health import (
    EXPORT_CHECKS,
    Health,
    first_few,
    read_health,
    shown,
)
from orchestration.lib.settings import NEWEST_EVENT_WITHIN, read_settings

PUBLISHED = dg.AssetKey(["published", "contact_reports"])
FRESHNESS = "newest_event_is_recent"


@dg.multi_asset_check(
    name="publication_is_watched",
    specs=[
        dg.AssetCheckSpec(
            FRESHNESS,
            asset=PUBLISHED,
            description="The newest event of the data itself: a run that finds nothing new is fresh, its data is not.",
        ),
        *(
            dg.AssetCheckSpec(check.name, asset=PUBLISHED, description=f"Warns of what quality.{check.view} has.")
            for check in EXPORT_CHECKS
        ),
    ],
)
def publication_is_watched() -> Iterator[dg.AssetCheckResult]:
    """Warn of old data, and of exports that somebody has to download or rename, each named with what to do."""
    yield from _results(read_health(read_settings()))


def check_without_a_step(instance: dg.DagsterInstance, *, freshness_alone: bool = False) -> None:
    """Report the results of these checks to Dagster outside of a run.

    The age of the data grows without a run. What exports lack changes only with a new publication.
    """
    for result in _results(read_health(read_settings())):
        if result.check_name == FRESHNESS or not freshness_alone:
            report_without_a_step(instance, result)


def report_without_a_step(instance: dg.DagsterInstance, result: dg.AssetCheckResult) -> None:
    """Report the result of a check to Dagster outside of a run."""
    assert result.asset_key is not None and result.check_name is not None
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=result.asset_key,
            check_name=result.check_name,
            passed=result.passed,
            metadata=result.metadata or {},
            severity=result.severity,
            description=result.description,
        )
    )


def _results(health: Health) -> Iterator[dg.AssetCheckResult]:
    newest = health.newest_event_at
    yield dg.AssetCheckResult(
        check_name=FRESHNESS,
        asset_key=PUBLISHED,
        passed=newest is not None and datetime.now(UTC) - newest <= NEWEST_EVENT_WITHIN,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"The newest event happened at {shown(newest)}" if newest else "There is no event",
    )
    for check in EXPORT_CHECKS:
        found = health.exports[check.name]
        yield dg.AssetCheckResult(
            check_name=check.name,
            asset_key=PUBLISHED,
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(first_few(found, check.view)) or None,
            metadata={"found": len(found)},
        )
