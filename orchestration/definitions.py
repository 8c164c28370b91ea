"""The one entry point: everything Dagster knows of this project."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.defs import automation, exports, publication, raw_zone, warehouse
from orchestration.defs.operating import Operation


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions; tests may replace resources by name."""
    return dg.Definitions(
        assets=[raw_zone.LANDING, raw_zone.raw_zone, warehouse.dbt_models, publication.published],
        asset_checks=[publication.newest_event_is_recent, exports.exports_are_whole],
        jobs=[automation.contact_reports],
        schedules=[automation.schedule],
        sensors=[automation.new_files_landed],
        # One process for all steps: the lock is held from the first to the last, and Dagster is imported once.
        executor=dg.in_process_executor,
        resources={"operation": Operation(), **(resource_overrides or {})},
    )


defs = build_defs()
