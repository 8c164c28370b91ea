"""Makes up what happens in workspaces, for every route to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tests.streams.canonical import Stream
from tests.streams.people import People
from tests.streams.values import NAMES, PERSONS, SHORTENED_IDS, SOURCE_SPELLINGS, SOURCES_FOR
from tests.streams.writing import RandomText


@dataclass(frozen=True)
class Fact:
    """Something that happened, whichever route reports it."""

    number: int
    event_type: str
    moment: datetime
    contact_id: int
    name: str
    source: str
    user: str
    channel: str
    merged_contact_id: int | None


@dataclass(frozen=True)
class Message:
    """A message that was sent or received."""

    message_id: str
    moment: datetime


class Facts(RandomText):
    """What happened in the workspaces so far, whichever route reports it.

    The stream's folders, their zones and the names of their users and channels may change between deliveries.
    """

    def __init__(self, rng: Random, stream: Stream) -> None:
        super().__init__(rng)
        self._zones, self._moment = stream.zones, stream.moment
        self._users, self._channels = stream.users, stream.channels
        self._facts: dict[str, list[Fact]] = {folder: [] for folder in stream.zones}
        # In some workspaces all happens within days, so that downloads cover few days with many events.
        self._busy_from = {folder: self._moment() for folder in stream.zones if self.chance(0.4)}
        self._numbers = 0

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _fact(self, folder: str) -> Fact:
        rng = self.rng
        past = self._facts[folder]
        event_type = rng.choice(("added", "added", "connected", "connected", "deleted", "merged", "merged"))
        moment = rng.choice(past).moment if past and self.chance(0.1) else self._moment()
        if folder in self._busy_from and self.chance(0.8):
            moment = self._busy_from[folder] + timedelta(seconds=rng.randrange(9 * 86400))
        contact_id = rng.choice((*range(1, 25), 123456789012, 2**63 - 1))
        return Fact(
            number=self._number(),
            event_type=event_type,
            moment=moment.replace(microsecond=0) if self.chance(0.6) else moment,
            contact_id=contact_id,
            name=rng.choice(NAMES),
            source=rng.choice(list(SOURCE_SPELLINGS) if self.chance(0.05) else SOURCES_FOR[event_type]),
            user=rng.choice(("1", "2", "3", "4", "77")),
            channel=rng.choice(("1", "2", "3", "88")),
            merged_contact_id=rng.choice((None, None, contact_id, *range(1, 13))) if event_type == "merged" else None,
        )

    def _reported(self, folder: str, size: int, *event_types: str) -> list[Fact]:
        """Facts of these types that lie near each other, as a download has them; others are reported again, later."""
        facts = sorted(
            (fact for fact in self._facts[folder] if fact.event_type in event_types), key=lambda fact: fact.moment
        )
        size = self.rng.choice((1, 3)) if self.chance(0.3) else max(size, len(facts) // 3)
        start = self.rng.randrange(max(1, len(facts) - size + 1))
        chosen = facts[start : start + size]
        if self.chance(0.5):
            self.rng.shuffle(chosen)
        return chosen

    def _person(self, people: People, row_id: str) -> str:
        """A user or channel as a download names it: mostly by the name that it has when the download is made."""
        name = people.name(row_id)
        spellings = (row_id, f"0{row_id}", f"{row_id}.0", *[name] * 8, self.rng.choice(PERSONS), "@home", "", "-")
        return self.rng.choice(spellings) if self.chance(0.98) else self.rng.choice(SHORTENED_IDS)

    def _messages(self, fact: Fact) -> list[Message]:
        """The first message of a connection, and later ones; every route gives them the same ids."""
        numbers = range(self.rng.choice((1, 1, 2, 4)))
        return [Message(f"17{fact.number:012}{n}", fact.moment + timedelta(minutes=61 * n)) for n in numbers]
