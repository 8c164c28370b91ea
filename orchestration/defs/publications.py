"""The publications beside the file, as assets that follow it: PostgreSQL, a lake, a masked copy."""

import dagster as dg

from orchestration.defs.operating import Operation, problems_as_failures
from orchestration.defs.raw_zone import OWNERS
from orchestration.defs.watch import PUBLISHED
from orchestration.lib.monitoring.health import PUBLISHED_WITHIN
from orchestration.lib.progress import announce
from orchestration.lib.settings import Settings, read_settings
from publications.configured import configured
from publications.follow import behind, follow
from publications.interface import Publication

_CHECK = "it_equals_the_file"


def build_assets() -> list[dg.AssetsDefinition]:
    """An asset for each publication that is configured."""
    return [_asset(publication) for publication in configured(read_settings())]


def keys() -> list[dg.AssetKey]:
    """The keys of the publications that are configured."""
    return [key_of(publication) for publication in configured(read_settings())]


def keys_behind(settings: Settings) -> list[dg.AssetKey]:
    """The keys of the publications that have not followed the published file."""
    return [key_of(one.publication) for one in behind(settings, configured(settings))]


def selection() -> dg.AssetSelection:
    """The publications that are configured, with their checks."""
    return dg.AssetSelection.assets(*keys())


def key_of(publication: Publication) -> dg.AssetKey:
    """The key of the asset of a publication."""
    return dg.AssetKey(["published", publication.name])


def _asset(publication: Publication) -> dg.AssetsDefinition:
    key = key_of(publication)

    @dg.asset(
        key=key,
        deps=[PUBLISHED],
        group_name="published",
        owners=OWNERS,
        kinds={publication.kind},
        description=publication.description,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=PUBLISHED_WITHIN),
        check_specs=[
            dg.AssetCheckSpec(
                _CHECK, asset=key, description="Counts and checksums of each table are those of the file."
            )
        ],
    )
    def published_beside(context: dg.AssetExecutionContext, operation: Operation) -> dg.MaterializeResult:  # type: ignore[type-arg]
        settings = operation.settings
        with problems_as_failures(settings, context):
            result = follow(settings, publication)
            announce(f"comparing {publication.title} with the published file")
            differences = publication.differences(settings.published)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(result.rows.values()),
                "rows_moved": result.moved,
                "rows": dg.MetadataValue.json(dict(result.rows)),
                **({"notes": "\n".join(result.notes)} if result.notes else {}),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=_CHECK, passed=not differences, description="\n".join(differences) or None
                )
            ],
        )

    return published_beside
