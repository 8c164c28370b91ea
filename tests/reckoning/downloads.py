"""What downloads of the page's logs vouch for: which days are told in full, cut, or by no download at all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tests.reckoning.claims import report_log_type
from tests.reckoning.files import LandedFile
from tests.reckoning.resolving import natural_key
from tests.reckoning.state import Row, State
from tests.reckoning.values import EVENT_TYPES

# A table of the page gives at most so many rows: a file that has as many is almost surely cut.
ROWS_OF_A_CUT_FILE = 10_000
FRESH_ROUTES = ("webhook", "api")
DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Download:
    """A loaded version of a report log, and the local days of its first and last accepted event."""

    file: LandedFile
    event_type: str
    first: date | None
    last: date | None

    @property
    def is_cut(self) -> bool:
        return len(self.file.records) == ROWS_OF_A_CUT_FILE

    @property
    def key(self) -> tuple[str, str]:
        return self.file.workspace_id, self.event_type

    def vouched_days(self) -> set[date]:
        """The days it tells in full; of a cut file only those strictly between its first and its last."""
        days = days_between(self.first, self.last)
        return days - {day for day in (self.first, self.last) if day} if self.is_cut else days


def days_between(first: date | None, last: date | None) -> set[date]:
    """All days from the first to the last."""
    if first is None or last is None:
        return set()
    return {first + DAY * offset for offset in range((last - first).days + 1)}


def downloads(state: State) -> list[Download]:
    days: dict[LandedFile, list[date]] = defaultdict(list)
    for event in state.outcome.accepted:
        days[event.record.file].append(event.local.date())
    return [
        Download(
            file,
            report_log_type(file) or "unknown",
            min(days.get(file, []), default=None),
            max(days.get(file, []), default=None),
        )
        for file in state.files
        if file.kind == "report_logs"
    ]


def vouched_days(state: State) -> dict[tuple[str, str], set[date]]:
    """The days that downloads vouch for, by workspace and type."""
    days: dict[tuple[str, str], set[date]] = defaultdict(set)
    for download in downloads(state):
        days[download.key] |= download.vouched_days()
    return days


def cut_report_logs(state: State) -> Iterator[Row]:
    known = downloads(state)
    for download in known:
        if not download.is_cut:
            continue
        others = [other for other in known if other.key == download.key and other is not download]
        vouched = {day for other in others for day in other.vouched_days()}
        to_download = days_between(download.first, download.last) - vouched
        yield {
            "workspace_id": download.file.workspace_id,
            "event_type": download.event_type,
            "source_file": download.file.source_file,
            "loaded_at": download.file.loaded_at,
            "first_date": download.first,
            "last_date": download.last,
            "download_from": min(to_download, default=None),
            "download_to": max(to_download, default=None),
            "days_to_download": len(to_download),
        }


def report_log_gaps(state: State) -> Iterator[Row]:
    for (workspace_id, event_type), vouched in vouched_days(state).items():
        days = sorted(vouched)
        for before, after in zip(days, days[1:], strict=False):
            if after - before > DAY:
                yield {
                    "workspace_id": workspace_id,
                    "event_type": event_type,
                    "first_date": before + DAY,
                    "last_date": after - DAY,
                    "days": (after - before).days - 1,
                }


def refused_files(state: State) -> Iterator[Row]:
    """The exports of which nobody knows what they are, where that is why a row of theirs is rejected."""
    refused: Counter[LandedFile] = Counter()
    reasons: dict[LandedFile, str | None] = {}
    for record, rejection in state.outcome.rejected:
        if rejection.reason == "unknown_event_type" and record.file.kind in ("report_logs", "data_export"):
            refused[record.file] += 1
            reasons[record.file] = rejection.detail
    for file, count in refused.items():
        yield {
            "workspace_id": file.workspace_id,
            "route": file.route,
            "source_file": file.source_file,
            "loaded_at": file.loaded_at,
            "reason": reasons[file],
            "records_rejected": count,
        }


def reconciliation(state: State) -> Iterator[Row]:
    covered = vouched_days(state)
    fresh = [event for event in state.outcome.accepted if event.record.route in FRESH_ROUTES]
    told = set(map(natural_key, fresh))
    watched: dict[tuple[str, str], list[date]] = defaultdict(list)
    for event in fresh:
        watched[event.workspace_id, event.event_type].append(event.local.date())
    counts: Counter[tuple[str, date, str, str]] = Counter()
    only_in_logs: Counter[tuple[str, date, str]] = Counter()
    for event in state.outcome.standing:
        day, key = event.local.date(), (event.workspace_id, event.event_type)
        counts[event.workspace_id, day, event.event_type, event.record.route] += 1
        if event.record.route == "report_log" and event.event_type in EVENT_TYPES[:2]:
            is_watched = key in watched and min(watched[key]) <= day <= max(watched[key])
            only_in_logs[event.workspace_id, day, event.event_type] += is_watched and natural_key(event) not in told
    for workspace_id, day, event_type in {key[:3] for key in counts}:
        by_route = {route: counts[workspace_id, day, event_type, route] for route in ROUTES_IN_ORDER}
        is_covered = day in covered.get((workspace_id, event_type), set())
        yield {
            "workspace_id": workspace_id,
            "report_date": day,
            "event_type": event_type,
            **{f"standing_{route}": count for route, count in by_route.items()},
            "is_covered_by_logs": is_covered,
            "missing_in_logs": sum(by_route[route] for route in FRESH_ROUTES) if is_covered else 0,
            "only_in_logs": only_in_logs[workspace_id, day, event_type],
        }


ROUTES_IN_ORDER = ("report_log", "events", "data_export", "webhook", "api")
