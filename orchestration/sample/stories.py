"""The events of a sample workspace: the contacts added on each day, and all that happens to them later.

They depend only on the workspace, the day and the sample's first day.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from orchestration.sample.workspaces import Channel, Source, User, Workspace

# More than the longest time from a contact's day to the last record about it, with all delays below.
STORY_DAYS = 30

_LATE = 0.015
_SENT_TWICE = 0.01
_CORRECTED = 0.004
_BROKEN = 0.003

Record = dict[str, str | int | None]
_Member = TypeVar("_Member", User, Channel)


@dataclass(frozen=True)
class Delivery:
    """A record, and when it arrives, which decides in which day's file it is."""

    arrives_at: datetime
    record: Record
    is_cut_off: bool = False


@dataclass
class _Contact:
    """A contact, and the time of its last event."""

    contact_id: int
    name: str
    source: Source
    last_at: datetime


class DayOfContacts:
    """The contacts that a workspace adds on one day (UTC), and all their later events."""

    def __init__(self, workspace: Workspace, day: date, first: date) -> None:
        self._workspace = workspace
        self._day = day
        self._first = first
        self._zone = ZoneInfo(workspace.timezone)
        self._timestamp_zone = UTC if workspace.timestamps_in_utc else self._zone
        self._chance = Random(f"{workspace.workspace_id} {day}")
        self._by_user = next(source for source in workspace.sources if source.is_user)
        self._by_message = next(source for source in workspace.sources if source.brings_a_message)

    def deliveries(self) -> Iterator[Delivery]:
        """Every record about these contacts as it arrives: some late, twice or broken."""
        contacts = list(self._contacts())
        shuffled = list(contacts)
        self._chance.shuffle(shuffled)
        deleted = [shuffled.pop() for _ in range(self._about(0.05 * len(contacts)))]
        people = [self._same_person(shuffled) for _ in range(self._about(0.025 * len(contacts)))]
        for contact in contacts:
            yield from self._event("added", contact.last_at, contact, contact.source)
            yield from self._connections(contact)
        for contact in deleted:
            at = contact.last_at + timedelta(days=min(self._chance.expovariate(1 / 2), 8))
            yield from self._event("deleted", self._when_open(at), contact, self._by_user)
        for person in people:
            yield from self._merges(person)

    def _contacts(self) -> Iterator[_Contact]:
        midnight = datetime.combine(self._day, time(), UTC)
        rhythm = [self._business(midnight + timedelta(hours=hour)) for hour in range(24)]
        age = (self._day - self._first).days
        size = self._workspace.contacts_a_day * (1 + self._workspace.growth * (1 - math.exp(-age / 60)))
        count = round(size * sum(rhythm) * self._chance.gauss(1, 0.07))
        hours = self._chance.choices(range(24), rhythm, k=count)
        open_hours = [hour for hour in range(24) if self._is_open(midnight + timedelta(hours=hour))]
        # Customers write at any hour, users work when the office is open.
        weights = [each.added if open_hours or not each.is_user else 0 for each in self._workspace.sources]
        sources = self._chance.choices(self._workspace.sources, weights, k=count)
        arrivals = [
            (self._within_hour(midnight, self._chance.choice(open_hours) if source.is_user else hour), source)
            for hour, source in zip(hours, sources, strict=True)
        ]
        if open_hours and self._chance.random() < 0.08:
            start = self._within_hour(midnight, self._chance.choice(open_hours))
            imported = Source(self._workspace.import_source)
            moments = (start + timedelta(milliseconds=137 * n) for n in range(self._chance.randint(25, 90)))
            arrivals += [(moment, imported) for moment in moments]
        # No day adds a thousand contacts, and the sooner added has the smaller id.
        first_id = self._workspace.contact_ids_from + 1000 * self._day.toordinal()
        for number, (at, source) in enumerate(sorted(arrivals, key=lambda arrival: arrival[0])):
            yield _Contact(first_id + number, self._name(), source, at)

    def _same_person(self, contacts: list[_Contact]) -> list[_Contact]:
        """Take two or three contacts, and make them one person with different spellings of a name."""
        person = [contacts.pop() for _ in range(3 if self._chance.random() < 0.2 else 2)]
        name = max((contact.name for contact in person), key=len)
        for contact in person[:-1]:
            contact.name = self._chance.choice((name, name.lower(), name.partition(" ")[0].strip(",")))
        person[-1].name = name
        return person

    def _connections(self, contact: _Contact) -> Iterator[Delivery]:
        if contact.source.brings_a_message:
            source = contact.source
            at = contact.last_at + timedelta(milliseconds=self._chance.randrange(200, 3000))
        elif self._chance.random() < 0.72:
            sources = self._workspace.sources
            source = self._chance.choices(sources, [each.connected for each in sources])[0]
            minutes = min(self._chance.lognormvariate(math.log(25), 1.4), 2 * 24 * 60)
            at = contact.last_at + timedelta(minutes=minutes)
            at = self._when_open(at) if source.is_user else at
        else:
            return
        channel = self._channel(at)
        yield from self._event("connected", at, contact, source, channel_id=channel.channel_id)
        if self._chance.random() < 0.12:
            at += timedelta(days=self._chance.uniform(0.2, 7))
            other = self._channel(at)
            if other is not channel:
                channel_id = other.channel_id
                yield from self._event("connected", at, contact, self._by_message, channel_id=channel_id)

    def _merges(self, person: Sequence[_Contact]) -> Iterator[Delivery]:
        """Each contact of the person is merged into the next."""
        at = max(contact.last_at for contact in person)
        for merged, primary in pairwise(person):
            at += timedelta(hours=min(self._chance.expovariate(1 / 12), 72), minutes=2)
            at = self._when_open(at)
            primary.name = person[-1].name
            known = merged.contact_id if self._chance.random() < 0.75 else None
            yield from self._event("merged", at, primary, self._by_user, merged_contact_id=known)

    def _event(
        self, event_type: str, at: datetime, contact: _Contact, source: Source, **more: str | int | None
    ) -> Iterator[Delivery]:
        contact.last_at = at
        record: Record = {
            "event_id": f"{self._chance.getrandbits(64):016x}",
            "event_type": event_type,
            "occurred_at": at.astimezone(self._timestamp_zone).strftime(self._workspace.timestamp_format),
            "contact_id": contact.contact_id,
            "contact_name": contact.name or None,
            "source": source.spelling,
            "user_id": self._user(at).user_id if source.is_user else None,
        }
        yield from self._sent(at, record | more)

    def _sent(self, at: datetime, record: Record) -> Iterator[Delivery]:
        """The record as it arrives. Most arrive once and in time; some late, twice, corrected or broken."""
        is_late = self._chance.random() < _LATE
        arrives_at = at + timedelta(days=self._chance.uniform(1, 4)) if is_late else at
        fortune = self._chance.random()
        if fortune < _BROKEN:
            yield self._broken(Delivery(arrives_at, record), at)
        elif fortune < _BROKEN + _CORRECTED:
            yield Delivery(arrives_at, record | self._mistake(record))
            yield Delivery(arrives_at + timedelta(days=self._chance.uniform(1, 3)), record)
        else:
            yield Delivery(arrives_at, record)
            if fortune > 1 - _SENT_TWICE:
                yield Delivery(arrives_at + timedelta(days=1), record)

    def _broken(self, delivery: Delivery, at: datetime) -> Delivery:
        record = delivery.record
        if record["event_type"] == "deleted":
            return replace(delivery, record=record | {"source": "developer_api"})
        match self._chance.randrange(4):
            case 0:
                return replace(delivery, is_cut_off=True)
            case 1:
                return replace(delivery, record=record | {"event_id": None})
            case 2:
                return replace(delivery, record=record | {"contact_id": f"C-{record['contact_id']}"})
            case _:
                local = at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")
                return replace(delivery, record=record | {"occurred_at": local})

    def _mistake(self, record: Record) -> Record:
        if record["event_type"] == "added" and self._chance.random() < 0.5:
            return {"source": "other"}
        return {"contact_name": str(record["contact_name"] or "Unknown").split()[0].lower()}

    def _name(self) -> str:
        kind = self._chance.random()
        if kind < 0.03:
            return ""
        if kind < 0.07:
            return self._chance.choice(self._workspace.nicknames)
        weights = [weight for weight, _ in self._workspace.names]
        _, words = self._chance.choices(self._workspace.names, weights)[0]
        return " ".join(self._chance.choice(each) for each in words)

    def _user(self, at: datetime) -> User:
        """A user who is present then. The first ones in the list are the busiest."""
        users = self._present(self._workspace.users, at)
        return self._chance.choices(users, [1 / (place + 4) for place in range(len(users))])[0]

    def _channel(self, at: datetime) -> Channel:
        channels = self._present(self._workspace.channels, at)
        return self._chance.choices(channels, [channel.weight for channel in channels])[0]

    def _present(self, members: Iterable[_Member], at: datetime) -> list[_Member]:
        age = (at.date() - self._first).days
        return [each for each in members if each.deleted_on_day is None or age < each.deleted_on_day]

    def _about(self, number: float) -> int:
        return int(number + self._chance.random())

    def _within_hour(self, midnight: datetime, hour: int) -> datetime:
        return midnight + timedelta(hours=hour, microseconds=self._chance.randrange(3_600_000_000))

    def _business(self, hour: datetime) -> float:
        """The part of an average day's contacts that this hour brings."""
        local = hour.astimezone(self._zone)
        hours = self._workspace.hours
        return self._workspace.weekdays[local.weekday()] * hours[local.hour] / sum(hours)

    def _is_open(self, at: datetime) -> bool:
        local = at.astimezone(self._zone)
        opens, closes = self._workspace.open_hours
        return local.weekday() in self._workspace.open_weekdays and opens <= local.hour < closes

    def _when_open(self, at: datetime) -> datetime:
        """That moment if the office is open, or else a moment soon after it opens."""
        if self._is_open(at):
            return at
        opens, closes = self._workspace.open_hours
        local = at.astimezone(self._zone)
        if local.hour >= closes:
            local += timedelta(days=1)
        while local.weekday() not in self._workspace.open_weekdays:
            local += timedelta(days=1)
        wait = timedelta(hours=min(self._chance.expovariate(1 / 2), closes - opens))
        return (local.replace(hour=opens, minute=0, second=0) + wait).astimezone(UTC)


class ClearDayOfContacts(DayOfContacts):
    """The same without late, repeated and broken records."""

    def _sent(self, at: datetime, record: Record) -> Iterator[Delivery]:
        yield Delivery(at, record)
