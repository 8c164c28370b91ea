"""Which days the downloads of the page's logs cover."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath

from tests.reckoning.files import LandedFile
from tests.reckoning.judging import Event
from tests.reckoning.recognition import log_type, refusal

# A table of the page gives at most so many rows: a file that has as many is almost surely cut.
ROWS_OF_A_CUT_FILE = 10_000
DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Download:
    """A loaded version of a report log: the local days of its first and last accepted event, and those asked for."""

    file: LandedFile
    event_type: str
    first: date | None
    last: date | None
    asked_for: tuple[date, date] | None

    @property
    def is_cut(self) -> bool:
        return len(self.file.records) == ROWS_OF_A_CUT_FILE

    @property
    def key(self) -> tuple[str, str]:
        return self.file.workspace_id, self.event_type

    def inner_days(self) -> set[date]:
        """The days strictly between its first and its last event."""
        return days_between(self.first, self.last) - {day for day in (self.first, self.last) if day}

    def covered_days(self) -> set[date]:
        """The days it has in full: from the first to the last that has an event or was asked for.

        Of a cut file only those strictly between its first and its last event.
        """
        if self.is_cut:
            return self.inner_days()
        bounds = [day for day in (self.first, self.last, *(self.asked_for or ())) if day]
        return days_between(min(bounds, default=None), max(bounds, default=None))


def days_between(first: date | None, last: date | None) -> set[date]:
    """All days from the first to the last."""
    if first is None or last is None:
        return set()
    return {first + DAY * offset for offset in range((last - first).days + 1)}


def downloads(files: list[LandedFile], accepted: list[Event], listed: Container[str]) -> list[Download]:
    """The downloads of all workspaces; what is refused, or of a workspace that is not listed, covers nothing."""
    days: dict[LandedFile, list[date]] = defaultdict(list)
    for event in accepted:
        days[event.record.file].append(event.local.date())
    return [
        Download(
            file,
            log_type(file) or "unknown",
            min(days.get(file, []), default=None),
            max(days.get(file, []), default=None),
            days_asked_for(file) if file.workspace_id in listed and not refusal(file) else None,
        )
        for file in files
        if file.kind == "report_logs"
    ]


def days_asked_for(file: LandedFile) -> tuple[date, date] | None:
    """The two dates in a file's name, where there are two in their order."""
    texts = re.findall(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])", PurePosixPath(file.source_file).name)
    try:
        days = [date.fromisoformat(text) for text in texts]
    except ValueError:
        return None
    return (days[0], days[1]) if len(days) == 2 and days[0] <= days[1] else None


def covered_days(known: list[Download]) -> dict[tuple[str, str], set[date]]:
    """The days that downloads cover, by workspace and type."""
    days: dict[tuple[str, str], set[date]] = defaultdict(set)
    for download in known:
        days[download.key] |= download.covered_days()
    return days


def days_of_connected_logs(known: list[Download]) -> set[tuple[str, date]]:
    """Workspace and day, where one connected log lists every contact that was connected on that day.

    Those are the days strictly between the first and the last event of a download that is not cut.
    """
    return {
        (download.file.workspace_id, day)
        for download in known
        if download.event_type == "connected" and not download.is_cut
        for day in download.inner_days()
    }
