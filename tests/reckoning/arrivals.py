"""The view that says how complete a day was after some days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from tests.reckoning.judging import Event
from tests.reckoning.state import Row, State


def arrival_delays(state: State) -> Iterator[Row]:
    known = known_on(state)
    delays: dict[tuple[str, date, str], Counter[int]] = defaultdict(Counter)
    for event in state.outcome.standing:
        day = event.local.date()
        delays[event.workspace_id, day, event.event_type][max((known[event] - day).days, 0)] += 1
    for (workspace_id, day, event_type), arrived in delays.items():
        for days_after, events in arrived.items():
            events_known = sum(count for days, count in arrived.items() if days <= days_after)
            yield {
                "workspace_id": workspace_id,
                "report_date": day,
                "event_type": event_type,
                "days_after": days_after,
                "events_arrived": events,
                "events_known": events_known,
                "percentage": 100 * events_known / arrived.total(),
            }


def known_on(state: State) -> dict[Event, date]:
    """The day on which each standing event became known: that of the first record of it, of the same day and type."""
    records: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in state.outcome.standing:
        records[event.workspace_id, event.event_id].append(event)
    for event, _, superseded_by in state.outcome.superseded:
        if superseded_by is not None:
            records[event.workspace_id, superseded_by].append(event)
    return {
        event: min(
            loaded_on(state, record)
            for record in records[event.workspace_id, event.event_id]
            if (record.local.date(), record.event_type) == (event.local.date(), event.event_type)
        )
        for event in state.outcome.standing
    }


def loaded_on(state: State, event: Event) -> date:
    zone = ZoneInfo(state.workspaces[event.workspace_id]["timezone"] or "")
    return event.record.file.loaded_at.astimezone(zone).date()
