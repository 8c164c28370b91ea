"""The contacts of the standing events, and the contacts they survive as."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from tests.reckoning.judging import Event
from tests.reckoning.resolving import by_time_and_id
from tests.reckoning.state import Row


def contacts(standing: list[Event]) -> list[Row]:
    """One row per contact of a standing event, with its status and the contact it survives as."""
    events_of: dict[tuple[str, int], list[Event]] = defaultdict(list)
    merged_away: dict[tuple[str, int], Event] = {}
    deleted_at: dict[tuple[str, int], datetime] = {}
    for event in standing:
        contact = (event.workspace_id, event.contact_id)
        events_of[contact].append(event)
        if event.event_type == "deleted":
            deleted_at[contact] = event.occurred_at
        if event.merged_contact_id is not None:
            away = (event.workspace_id, event.merged_contact_id)
            events_of[away].append(event)
            merged_away[away] = max(event, merged_away.get(away, event), key=by_time_and_id)
    rows: list[Row] = []
    for contact, events in events_of.items():
        status = "deleted" if contact in deleted_at else "active"
        if contact in merged_away:
            last_merge = merged_away[contact].occurred_at
            status = "deleted" if deleted_at.get(contact, last_merge) > last_merge else "merged"
        rows.append(
            {
                "workspace_id": contact[0],
                "contact_id": contact[1],
                "status": status,
                "first_event_at": min(event.occurred_at for event in events),
                "last_event_at": max(event.occurred_at for event in events),
                "survivor_contact_id": survivor(contact, merged_away),
            }
        )
    return rows


def survivor(contact: tuple[str, int], merged_away: dict[tuple[str, int], Event]) -> int:
    """The contact that a chain of merges ends in; of a cycle, the primary of its latest merge."""
    workspace_id, contact_id = contact
    path: list[int] = []
    while (workspace_id, contact_id) in merged_away:
        if contact_id in path:
            cycle = path[path.index(contact_id) :]
            return max((merged_away[workspace_id, member] for member in cycle), key=by_time_and_id).contact_id
        path.append(contact_id)
        contact_id = merged_away[workspace_id, contact_id].contact_id
    return contact_id
