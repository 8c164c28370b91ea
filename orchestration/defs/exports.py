"""Checks of what was downloaded by hand: whether a log is cut, a day is missing, or a file is not what it should be."""

from collections.abc import Iterator

import dagster as dg
import duckdb

from orchestration.defs.publication import published
from orchestration.lib.settings import read_settings

# A person mends the first few and looks again; quality has them all.
SHOWN = 5

# Check → the view it looks at, and a query whose rows say what to do about each thing.
_CHECKS = {
    "no_report_log_is_cut": (
        "cut_report_logs",
        """
        select format('{} has 10,000 rows and is surely cut: download the {} log of workspace {} again in shorter '
            'periods, from {} to {}', source_file, event_type, workspace_id, download_from, download_to)
        from quality.cut_report_logs where days_to_download > 0 order by loaded_at desc, source_file""",
    ),
    "no_day_is_missing_between_report_logs": (
        "report_log_gaps",
        """
        select format('no download covers {}: download the {} log of workspace {} of that time',
            case when days = 1 then first_date::varchar else format('{} to {}', first_date, last_date) end, event_type,
            workspace_id)
        from quality.report_log_gaps order by last_date desc, workspace_id, event_type""",
    ),
    "no_export_is_refused": (
        "refused_files",
        """
        select format('{} is refused: {}; rename it', source_file, reason)
        from quality.refused_files order by loaded_at desc, source_file""",
    ),
}


@dg.multi_asset_check(
    name="exports_are_whole",
    specs=[
        dg.AssetCheckSpec(name, asset=published, description=f"Warns of what quality.{view} has.")
        for name, (view, _) in _CHECKS.items()
    ],
)
def exports_are_whole() -> Iterator[dg.AssetCheckResult]:
    """Warn of exports that somebody has to download or rename, each named with what to do."""
    with duckdb.connect(str(read_settings().published), read_only=True) as connection:
        for name, (_, query) in _CHECKS.items():
            found = [row[0] for row in connection.execute(query).fetchall()]
            more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
            yield dg.AssetCheckResult(
                check_name=name,
                asset_key=published.key,
                passed=not found,
                severity=dg.AssetCheckSeverity.WARN,
                description="\n".join(found[:SHOWN] + more) or None,
                metadata={"found": len(found)},
            )
