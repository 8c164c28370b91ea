"""Replaces the publication by the warehouse file in one step: readers see the old file or the new one."""

import os
import shutil
from pathlib import Path

from orchestration.lib.folders import flush_to_disk
from orchestration.lib.problems import Problem
from orchestration.lib.settings import Settings, guard
from orchestration.lib.warehouse.provenance import remember_publication
from orchestration.lib.warehouse.published import remove_beside, require_no_writer


def publish(settings: Settings) -> list[str]:
    """Replace the publication by the warehouse file, which has to be built and tested.

    Returns warnings of what another program left beside the publication. Raises Problem when one writes into it.
    """
    if settings.warehouse.with_name(f"{settings.warehouse.name}.wal").exists():
        # A part of the file was not written: DuckDB reports no error when it closes a file that it cannot write.
        raise Problem(
            f"What was built could not be written into {settings.warehouse}",
            "The publication is untouched. See that the disk has room for a second one, and run again",
        )
    require_no_writer(settings.published)
    built = _in_the_data_folder(settings)
    flush_to_disk(built)
    settings.published.parent.mkdir(parents=True, exist_ok=True)
    built.chmod(settings.published_mode)
    remember_publication(settings, built)
    # Before the rename, so that no reader finds a WAL beside the new file. After it, as one may have come in between.
    warnings = remove_beside(settings.published)
    os.replace(built, settings.published)
    warnings += remove_beside(settings.published)
    flush_to_disk(settings.published.parent)
    guard(settings)
    return warnings


def _in_the_data_folder(settings: Settings) -> Path:
    """The warehouse where it can be renamed to the publication; it was built elsewhere if the path has a `?`."""
    place = settings.data / "warehouse" / settings.warehouse.name
    if place != settings.warehouse:
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        shutil.move(settings.warehouse, place)
    return place
