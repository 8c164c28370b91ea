"""Plans the work of a run: nothing, an incremental build, or a full rebuild."""

from dataclasses import dataclass

from orchestration.lib.raw_zone.forgetting import folders_to_mask
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse.provenance import is_whole, was_made_here
from orchestration.lib.warehouse.state import BuildState, read_state, rules_fingerprint


@dataclass(frozen=True)
class Plan:
    """The work of a run: a full rebuild, an incremental build, or nothing."""

    target: BuildState
    reason: str  # why a full rebuild is due, what is new, or why nothing is to be done
    rebuild: bool
    nothing_to_do: bool = False


def plan(settings: Settings, *, rebuild: bool = False) -> Plan:
    """Compare the publication with the raw zone and the rules as they are now. `rebuild` asks for a full rebuild."""
    zone = RawZone(settings.raw)
    newest = zone.newest_batch()
    target = BuildState(
        zone.zone_id, str(zone.path), newest, zone.fingerprint(newest), rules_fingerprint(zone, settings.target)
    )
    if rebuild:
        return Plan(target, "a rebuild was asked for", rebuild=True)
    if not settings.published.exists():
        return Plan(target, "nothing is published yet", rebuild=True)
    if folders_to_mask(zone):
        return Plan(target, "contacts were forgotten, and batches still identify them", rebuild=True)
    published = read_state(settings.published)
    if published is None or not is_whole(settings):
        return Plan(target, "the published file is damaged or of another layout", rebuild=True)
    made_here = was_made_here(settings)
    if made_here is False:
        return Plan(target, "another program wrote into the published file, or replaced it", rebuild=True)
    if published == target:
        return Plan(target, "the publication is up to date", rebuild=False, nothing_to_do=True)
    if published.zone_id != target.zone_id or published.batch_id > target.batch_id:
        return Plan(target, "the published file was built from another raw zone", rebuild=True)
    if published.raw_zone != target.raw_zone:
        return Plan(target, f"the raw zone was moved here from {published.raw_zone}", rebuild=True)
    batches = zone.fingerprint(published.batch_id)
    if published.batches != batches:
        if published.batches.split("/")[:2] == batches.split("/")[:2]:
            return Plan(target, "a contact was forgotten", rebuild=True)
        return Plan(target, "batches that were published are gone from the raw zone, or are others now", rebuild=True)
    if published.rules != target.rules:
        return Plan(target, "the rules changed (models, seeds, workspaces or their time zones)", rebuild=True)
    if not made_here:
        # dbt would run the SQL of its views.
        return Plan(target, "the published file is not known to be made here", rebuild=True)
    return Plan(target, f"batches {published.batch_id + 1} to {target.batch_id} are new", rebuild=False)
