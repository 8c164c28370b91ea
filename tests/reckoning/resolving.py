"""Which of several accepted records of the same event or fact stands (contract 4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.reckoning.files import Record
from tests.reckoning.judging import Event
from tests.reckoning.rejections import Rejection

PRECEDENCE = {"report_log": 1, "events": 1, "data_export": 2, "webhook": 2, "api": 2}
YIELDS_TO_LOG = ("webhook", "data_export")


@dataclass(frozen=True)
class Supersession:
    """Which rule superseded an event, and the event that it gave way to, where there is one."""

    reason: str
    by: Event | None


@dataclass
class Outcome:
    """Every landed record in its one state, and all that were accepted."""

    accepted: list[Event] = field(default_factory=list)
    standing: list[Event] = field(default_factory=list)
    superseded: list[tuple[Event, str, str | None]] = field(default_factory=list)
    rejected: list[tuple[Record, Rejection]] = field(default_factory=list)
    states: dict[Record, str] = field(default_factory=dict)


class Superseding:
    """Applies the rules one after another, each to what the earlier ones left."""

    def __init__(self, accepted: list[Event]) -> None:
        self.left = accepted
        self.superseded: dict[Event, Supersession] = {}

    def supersede(self, given: dict[Event, Event | None], reason: str) -> None:
        """Supersedes events, each by another or by none."""
        self.superseded |= {event: Supersession(reason, by) for event, by in given.items()}
        self.left = [event for event in self.left if event not in given]

    def standing_for(self, event: Event) -> Event | None:
        """The event that stands in the end for an event, None where none does."""
        current: Event | None = event
        while current in self.superseded:
            current = self.superseded[current].by
        return current

    def same_event(self) -> None:
        """Of the records of the same event the last loaded stands."""
        last = {(event.workspace_id, event.event_id): event for event in self.left}
        by = {event: last[event.workspace_id, event.event_id] for event in self.left}
        self.supersede({event: other for event, other in by.items() if other is not event}, "same_event")

    def failed_messages(self, failed: Set[tuple[str, str]]) -> None:
        """A message that failed after all is no event."""
        gone = [event for event in self.left if (event.workspace_id, event.message_id or "") in failed]
        self.supersede(dict.fromkeys(gone), "same_event")

    def less_detail(self) -> None:
        """What lacks the channel or the merged contact gives way to what has it, of the same contact and second."""
        detailed: dict[tuple[object, ...], list[Event]] = defaultdict(list)
        for event in self.left:
            if detail_of(event) is not None:
                detailed[second_of(event)].append(event)
        vague = [event for event in self.left if lacks_detail(event) and second_of(event) in detailed]
        self.supersede({event: min(detailed[second_of(event)], key=by_precedence) for event in vague}, "less_detail")

    def same_fact(self) -> None:
        """Of the events of the same fact one stands."""
        best: dict[tuple[object, ...], Event] = {}
        for event in self.left:
            key = natural_key(event)
            best[key] = min(best.get(key, event), event, key=by_precedence)
        by = {event: best[natural_key(event)] for event in self.left}
        self.supersede({event: other for event, other in by.items() if other is not event}, "same_fact")

    def not_in_log(self, covered: Set[tuple[str, date]]) -> None:
        """Who is not in a connected log on a day that it covers was connected before.

        An event that took the place of a less detailed one is in the log, if without its channel there.
        """
        confirmed = {
            self.standing_for(event)
            for event, supersession in self.superseded.items()
            if supersession.reason == "less_detail" and event.record.route not in YIELDS_TO_LOG
        }
        gone = [
            event
            for event in self.left
            if event.event_type == "connected"
            and event.record.route in YIELDS_TO_LOG
            and (event.workspace_id, event.local.date()) in covered
            and event not in confirmed
        ]
        self.supersede(dict.fromkeys(gone), "not_in_log")


def supersede(outcome: Outcome, failed: Set[tuple[str, str]], covered: Set[tuple[str, date]]) -> None:
    """Gives every accepted event its state, by the messages that failed and the days that connected logs cover."""
    rules = Superseding(outcome.accepted)
    rules.same_event()
    rules.failed_messages(failed)
    rules.less_detail()
    rules.same_fact()
    rules.not_in_log(covered)
    outcome.standing = rules.left
    for event, supersession in rules.superseded.items():
        other = rules.standing_for(event)
        outcome.superseded.append((event, supersession.reason, other.event_id if other else None))
    outcome.states |= {event.record: "superseded" for event in rules.superseded}
    outcome.states |= {event.record: "standing" for event in rules.left}


def detail_of(event: Event) -> object:
    """The channel of a connected event, the merged contact of a merged one."""
    return {"connected": event.channel_id, "merged": event.merged_contact_id}.get(event.event_type)


def lacks_detail(event: Event) -> bool:
    return event.event_type in ("connected", "merged") and detail_of(event) is None


def second_of(event: Event) -> tuple[object, ...]:
    """The contact and the second of an event."""
    return event.workspace_id, event.event_type, event.contact_id, event.occurred_at.replace(microsecond=0)


def natural_key(event: Event) -> tuple[object, ...]:
    """What makes two events the same fact."""
    if event.event_type == "merged" and event.merged_contact_id is None:
        return *second_of(event), None
    return event.workspace_id, event.event_type, event.contact_id, detail_of(event)


def by_time_and_id(event: Event) -> tuple[datetime, bytes]:
    """Of merges of the same contact the greatest is the latest."""
    return event.occurred_at, event.event_id.encode()


def by_precedence(event: Event) -> tuple[int, datetime, bytes]:
    """Of events of the same fact the least stands."""
    return PRECEDENCE[event.record.route], *by_time_and_id(event)


def balance(records: Iterable[Record], outcome: Outcome) -> dict[str, object]:
    """How many of the records were landed, and how many are in each state."""
    counts = Counter(outcome.states[record] for record in records)
    states = ("standing", "superseded", "rejected", "ignored")
    return {"records_landed": counts.total(), **{f"records_{state}": counts[state] for state in states}}
