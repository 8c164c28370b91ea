"""Checks of what was downloaded by hand: whether a log is cut, a day is missing, or a file is not what it should be."""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.publication import published
from orchestration.lib.health import find_in_exports
from orchestration.lib.published import open_published
from orchestration.lib.settings import read_settings

# A person mends the first few and looks again; quality has them all.
SHOWN = 5

_VIEWS = {
    "no_report_log_is_cut": "cut_report_logs",
    "no_day_is_missing_between_report_logs": "report_log_gaps",
    "no_export_is_refused": "refused_files",
}


@dg.multi_asset_check(
    name="exports_are_whole",
    specs=[
        dg.AssetCheckSpec(name, asset=published, description=f"Warns of what quality.{view} has.")
        for name, view in _VIEWS.items()
    ],
)
def exports_are_whole() -> Iterator[dg.AssetCheckResult]:
    """Warn of exports that somebody has to download or rename, each named with what to do."""
    with open_published(read_settings().published) as connection:
        for name, found in find_in_exports(connection).items():
            yield dg.AssetCheckResult(
                check_name=name,
                asset_key=published.key,
                passed=not found,
                severity=dg.AssetCheckSeverity.WARN,
                description="\n".join(first_few(found)) or None,
                metadata={"found": len(found)},
            )


def first_few(found: list[str]) -> list[str]:
    """The first few findings, and how many there are beyond."""
    return found[:SHOWN] + ([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])
