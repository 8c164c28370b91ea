"""The views of how the downloads of the page's logs fit together."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reckoning.downloads import DAY, covered_days, days_between
from tests.reckoning.recognition import refusal
from tests.reckoning.state import Row, State


def cut_report_logs(state: State) -> Iterator[Row]:
    for download in state.downloads:
        if not download.is_cut:
            continue
        others = [other for other in state.downloads if other.key == download.key and other is not download]
        covered = {day for other in others for day in other.covered_days()}
        to_download = days_between(download.first, download.last) - covered
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
    """The days between covered ones that are not; possible only, where the log has less than one event a day."""
    for key, covered in covered_days(state.downloads).items():
        events = sum(
            (event.workspace_id, event.event_type) == key and event.local.date() in covered
            for event in state.outcome.standing
        )
        days = sorted(covered)
        for before, after in zip(days, days[1:], strict=False):
            if after - before > DAY:
                yield {
                    "workspace_id": key[0],
                    "event_type": key[1],
                    "first_date": before + DAY,
                    "last_date": after - DAY,
                    "days": (after - before).days - 1,
                    "certainty": "possible" if events < len(days) else "certain",
                }


def refused_files(state: State) -> Iterator[Row]:
    """The downloaded files that have a header which tells too little, or another log than their name."""
    for file in state.files:
        reason = refusal(file) if file.kind in ("report_logs", "data_export") else None
        if reason and file.header:
            yield {
                "workspace_id": file.workspace_id,
                "route": file.route,
                "source_file": file.source_file,
                "loaded_at": file.loaded_at,
                "reason": reason,
                "header": file.header,
                "records_rejected": len(file.records),
            }
