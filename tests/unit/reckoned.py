"""A landing folder whose every delivery is reckoned, and the records that examples need."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.reckoning import Reckoning
from tests.streams import apply

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WORKSPACES = "workspace_id,workspace_name,timezone\n1,New York,America/New_York\n2,Lord Howe,Australia/Lord_Howe\n"


class Landing:
    """A landing folder whose every delivery is loaded, a run an hour."""

    def __init__(self, folder: Path, reckoning: Reckoning | None = None) -> None:
        self.folder = folder
        self.reckoning = reckoning or Reckoning()
        self.runs = 0

    def run(self, files: dict[str, str | bytes | None]) -> Reckoning:
        apply(
            {name: text.encode() if isinstance(text, str) else text for name, text in files.items()},
            self.folder,
        )
        self.reckoning.load(self.folder, NOW + timedelta(hours=self.runs))
        self.runs += 1
        return self.reckoning

    def load_events(self, *records: dict[str, object] | str) -> Reckoning:
        """One run over these records, in workspace 1, and these workspaces."""
        return self.run({"workspaces.csv": WORKSPACES, f"1/events/{self.runs}.jsonl": jsonl(*records)})


def event(event_id: str, event_type: str = "added", contact_id: object = 7, **more: object) -> dict[str, object]:
    return {
        "event_id": event_id,
        "event_type": event_type,
        "occurred_at": "2025-06-01T12:00:00Z",
        "contact_id": contact_id,
    } | more


def jsonl(*records: Mapping[str, object] | str) -> str:
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def column(rows: list[dict[str, object]], *names: str) -> list[object]:
    """The values of a column, or of some as tuples, sorted by their text."""
    values = [tuple(row[name] for name in names) if len(names) > 1 else row[names[0]] for row in rows]
    return sorted(values, key=repr)


def listed_workspaces(folder: Path) -> Landing:
    """A landing folder whose workspaces.csv is loaded already."""
    landing = Landing(folder)
    landing.run({"workspaces.csv": WORKSPACES})
    return landing


def hook(event_type: object, event_id: str = "h", contact_id: object = 7, **more: object) -> dict[str, object]:
    """A webhook's body, at noon of 1 June 2025 in UTC."""
    contact = {"id": contact_id, "firstName": "Ana", "lastName": None, "created_at": 1748779200}
    body: dict[str, object] = {"event_type": event_type, "event_id": event_id, "contact": contact}
    if str(event_type).startswith("message"):
        body["message"] = {"timestamp": 1748779200, "contactId": 8, "channelId": 1}
    return body | more


def states(landing: Landing) -> list[object]:
    names = [f"records_{state}" for state in ("landed", "standing", "superseded", "rejected", "ignored")]
    return column(landing.reckoning.view("load_balance"), "source_file", *names)
