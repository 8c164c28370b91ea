"""The one entry point: everything Dagster knows of this project."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.defs import (
    alerts,
    automation,
    digest,
    publication,
    publications,
    raw_zone,
    respond_io,
    upkeep,
    warehouse,
    watch,
)
from orchestration.defs.operating import Operation


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions; tests may replace resources by name."""
    fetched = [respond_io.api_key(workspace_id) for workspace_id in respond_io.workspaces_with_token()]
    landing = raw_zone.LANDING.replace_attributes(deps=fetched)
    pipeline = dg.Definitions(
        assets=[landing, raw_zone.raw_zone, warehouse.dbt_models, publication.published, *publications.build_assets()],
        asset_checks=[watch.publication_is_watched],
        jobs=[automation.contact_reports, automation.full_rebuild],
        schedules=[automation.schedule],
        sensors=[automation.new_files_landed, alerts.alerts_sensor, upkeep.upkeep_sensor],
        # One process for all steps: the lock is held from the first to the last, and Dagster is imported once.
        executor=dg.in_process_executor,
        resources={"operation": Operation(), **(resource_overrides or {})},
    )
    return dg.Definitions.merge(pipeline, respond_io.build_defs(), digest.build_defs())


defs = build_defs()
