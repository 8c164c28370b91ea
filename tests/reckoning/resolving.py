"""Which of several accepted records of the same event or fact stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from tests.reckoning.claims import Claim, NoClaim
from tests.reckoning.files import LandedFile, Record
from tests.reckoning.judging import Event, Judge, Rejection

ROUTE_RANKS = {"report_log": 0, "events": 0, "data_export": 1, "webhook": 2, "api": 3}


@dataclass
class Outcome:
    """Every landed record in its one state, and all that were accepted."""

    accepted: list[Event] = field(default_factory=list)
    standing: list[Event] = field(default_factory=list)
    superseded: list[tuple[Event, str]] = field(default_factory=list)
    rejected: list[tuple[Record, Rejection]] = field(default_factory=list)
    states: dict[Record, str] = field(default_factory=dict)


def resolve(files: list[LandedFile], claims: dict[Record, Claim | NoClaim], judge: Judge) -> Outcome:
    """The outcome of all records, in the order in which their files were loaded."""
    outcome = Outcome()
    candidates: list[Event] = []
    for file in files:
        accepted: list[Event] = []
        for record in file.records:
            verdict = judge.judge(record, claims[record])
            if isinstance(verdict, Event):
                accepted.append(verdict)
            elif isinstance(verdict, Rejection):
                outcome.rejected.append((record, verdict))
                outcome.states[record] = "rejected"
            else:
                outcome.states[record] = "ignored"
        outcome.accepted += accepted
        candidates += without_later_messages(accepted, outcome) if file.kind == "data_export" else accepted
    supersede(candidates, outcome)
    return outcome


def without_later_messages(accepted: list[Event], outcome: Outcome) -> list[Event]:
    """The events of an exported file but for all messages that are not the first of their contact and channel.

    They say nothing new: only their number is kept. Once and for all, so by the channel as the file names it: what a
    name stands for may change.
    """
    first: dict[tuple[object, ...], Event] = {}
    # Of a message that the file has twice the last row stands, as of any event that is sent again.
    for event in reversed(accepted):
        key = (event.contact_id, event.channel_text)
        first[key] = min(first.get(key, event), event, key=by_time_and_id)
    kept = [
        event
        for event in accepted
        if event.event_type != "connected" or first[event.contact_id, event.channel_text] is event
    ]
    for event in set(accepted) - set(kept):
        outcome.states[event.record] = "superseded"
    return kept


def supersede(candidates: list[Event], outcome: Outcome) -> None:
    last_sent = {(event.workspace_id, event.event_id): event for event in candidates}
    best: dict[tuple[object, ...], Event] = {}
    for event in last_sent.values():
        key = natural_key(event)
        best[key] = min(best.get(key, event), event, key=by_route_time_and_id)
    for event in candidates:
        winner = best[natural_key(last_sent[event.workspace_id, event.event_id])]
        if event is winner:
            outcome.standing.append(event)
            outcome.states[event.record] = "standing"
        else:
            outcome.superseded.append((event, winner.event_id))
            outcome.states[event.record] = "superseded"


def natural_key(event: Event) -> tuple[object, ...]:
    """What makes two events the same fact."""
    key = (event.workspace_id, event.event_type, event.contact_id)
    if event.event_type == "connected":
        return *key, event.channel_id
    if event.event_type == "merged" and event.merged_contact_id is None:
        return *key, event.occurred_at.replace(microsecond=0)
    return *key, event.merged_contact_id


def by_time_and_id(event: Event) -> tuple[datetime, bytes]:
    """Of merges of the same contact the greatest is the latest."""
    return event.occurred_at, event.event_id.encode()


def by_route_time_and_id(event: Event) -> tuple[int, datetime, bytes]:
    """Of events of the same fact the least stands."""
    return ROUTE_RANKS[event.record.route], *by_time_and_id(event)


def balance(records: list[Record], outcome: Outcome) -> dict[str, object]:
    """How many of the records were landed, and how many are in each state."""
    counts = Counter(outcome.states[record] for record in records)
    states = ("standing", "superseded", "rejected", "ignored")
    return {"records_landed": len(records), **{f"records_{state}": counts[state] for state in states}}
