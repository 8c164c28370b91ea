"""The raw zone's tables as assets: what the landing folder brought."""

import glob
from collections.abc import Iterator

import dagster as dg
import duckdb

from orchestration.defs.operating import Operation, problems_as_failures
from orchestration.lib.extraction.extract import Extraction
from orchestration.lib.landing.kinds import KINDS
from orchestration.lib.monitoring.health import note_unread_files, read_unread_files
from orchestration.lib.pipeline import load_landing
from orchestration.lib.raw_zone.forgetting import prepare as prepare_zone
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.warehouse.published import remove_beside

OWNERS = ["team:data-engineering"]

LANDING = dg.AssetSpec(
    "landing",
    group_name="landing",
    owners=OWNERS,
    kinds={"file"},
    description="Files as they arrive: events, users and channels of each workspace, and workspaces.csv.",
)

_DESCRIPTIONS = {
    "files": "One row per loaded version of a file: its checksum, size and number of records.",
    **{name: f"One row per landed record of {name}, all of it text, with file, line and batch." for name in KINDS},
}


@dg.multi_asset(
    name="raw_zone",
    specs=[
        dg.AssetSpec(
            ["raw", table],
            deps=[LANDING],
            group_name="raw",
            owners=OWNERS,
            kinds={"parquet"},
            description=description,
        )
        for table, description in _DESCRIPTIONS.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_file_was_read",
            asset=["raw", "files"],
            description="Files that could not be loaded are named here on every run until they are replaced.",
        )
    ],
)
def raw_zone(
    context: dg.AssetExecutionContext, operation: Operation
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Extract what is new in the landing folder into one batch."""
    settings = operation.settings
    zone = RawZone(settings.raw)
    with problems_as_failures(settings, context):
        if operation.rebuild and zone.path.exists():
            # A rebuild extracts nothing.
            prepare_zone(zone)
            extraction = Extraction(notes=remove_beside(settings.published), unread=read_unread_files(settings.data))
        else:
            extraction = load_landing(settings)
            note_unread_files(settings.data, extraction.unread)
        rows = _rows(zone)
    for warning in extraction.warnings:
        context.log.warning(warning)
    context.log.info(f"{extraction.records} records of {extraction.files} new files")
    for table, row_count in rows.items():
        yield dg.MaterializeResult(
            asset_key=["raw", table],
            metadata={
                "dagster/row_count": row_count,
                "new_batch": extraction.batch_id or "none: nothing was new",
            },
        )
    yield dg.AssetCheckResult(
        asset_key=["raw", "files"],
        check_name="every_file_was_read",
        passed=not extraction.warnings,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(extraction.warnings) or None,
    )


def _rows(zone: RawZone) -> dict[str, int]:
    """The rows of each table, counted from the files' footers."""
    with duckdb.connect() as connection:
        return {
            table: connection.execute(
                "select coalesce(sum(num_rows), 0)::bigint from parquet_file_metadata($1::varchar[])",
                [[glob.escape(str(file)) for file in zone.files(table)]],
            ).fetchall()[0][0]
            for table in _DESCRIPTIONS
        }
