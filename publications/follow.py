"""Whether a publication has followed the published file, and whether its place is as it was then.

The note of a publication decides only whether a run is due. What the publication holds is compared with the file when
the run publishes it. A note that is lost or wrong costs such a comparison, or delays it until the file is replaced.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.lib.problems import Problem
from orchestration.lib.progress import announce
from orchestration.lib.settings import Settings
from orchestration.lib.text import counted
from publications.interface import Publication, Published


@dataclass(frozen=True)
class Standing:
    """How a publication stands. `behind` says why a run is due; it is None if none is."""

    publication: Publication
    published_at: datetime | None  # UTC
    behind: str | None
    is_away: bool = False  # nobody can say how it stands: `behind` says why, and the cure


def follow(settings: Settings, publication: Publication) -> Published:
    """Publish, and note it. Raises Problem."""
    # What it is compared with later: the file that is read now, and the place that is left.
    file = _file(settings)
    announce(f"publishing to {publication.title}")
    published = publication.publish(settings.published)
    announce(
        f"published to {publication.title}: {counted(sum(published.rows.values()), 'row', 'rows')}, "
        f"{published.moved:,} written or deleted"
    )
    note = _note(settings, publication)
    note.parent.mkdir(parents=True, exist_ok=True)
    new = note.with_suffix(".new")
    new.write_text(json.dumps([publication.target, file, published.state]))
    os.replace(new, note)
    return published


def behind(settings: Settings, publications: Sequence[Publication]) -> list[Standing]:
    """The publications for which a run is due. Empty while nothing is published."""
    return [one for one in standings(settings, publications) if one.behind]


def standings(settings: Settings, publications: Sequence[Publication]) -> list[Standing]:
    """How each publication stands. Empty while nothing is published."""
    if not settings.published.exists():
        return []
    return [_standing(settings, publication) for publication in publications]


def _standing(settings: Settings, publication: Publication) -> Standing:
    note = _note(settings, publication)
    try:
        target, file, state = json.loads(note.read_text())
        published_at = datetime.fromtimestamp(note.stat().st_mtime, UTC)
    except (OSError, ValueError):
        return Standing(publication, None, "it was never published")
    reason, is_away = None, False
    if target != publication.target:
        reason = "it was last published to another place"
    elif file != _file(settings):
        reason = "it has an older version of the published file"
    else:
        try:
            if (found := publication.state()) != state:
                reason = "it was changed from outside" if found else "what was published there is missing"
        except Problem as problem:
            reason, is_away = str(problem), True
    return Standing(publication, published_at, reason, is_away)


def _file(settings: Settings) -> str:
    status = settings.published.stat()
    return f"{status.st_mtime_ns} {status.st_size}"


def _note(settings: Settings, publication: Publication) -> Path:
    return settings.data / "cache" / "publications" / f"{publication.name}.json"
