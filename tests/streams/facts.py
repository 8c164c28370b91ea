"""Makes up what happens in workspaces, for every route to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from tests.streams.values import NAMES, PERSONS, SOURCE_SPELLINGS, SOURCES_FOR
from tests.streams.writing import RandomText


@dataclass(frozen=True)
class Fact:
    """Something that happened, whichever route tells it."""

    number: int
    event_type: str
    moment: datetime
    contact_id: int
    name: str
    source: str
    user: str
    channel: str
    merged_contact_id: int | None


class Facts(RandomText):
    """What happened in the workspaces so far, whichever route tells it.

    The folders' zones may change between deliveries; `moment` gives times worth testing.
    """

    def __init__(self, rng: Random, zones: dict[str, str], moment: Callable[[], datetime]) -> None:
        super().__init__(rng)
        self._zones = zones
        self._moment = moment
        self._facts: dict[str, list[Fact]] = {folder: [] for folder in zones}
        self._numbers = 0

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _fact(self, folder: str) -> Fact:
        rng = self.rng
        past = self._facts[folder]
        event_type = rng.choice(("added", "added", "connected", "connected", "deleted", "merged", "merged"))
        moment = rng.choice(past).moment if past and self.chance(0.1) else self._moment()
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

    def _told(self, folder: str, size: int, *event_types: str) -> list[Fact]:
        """Facts of these types that lie near each other, as a download has them; others are told again, later."""
        facts = sorted(
            (fact for fact in self._facts[folder] if fact.event_type in event_types), key=lambda fact: fact.moment
        )
        size = max(size, len(facts) // 3)
        start = self.rng.randrange(max(1, len(facts) - size + 1))
        chosen = facts[start : start + size]
        if self.chance(0.5):
            self.rng.shuffle(chosen)
        return chosen

    def _person(self, row_id: str) -> str:
        return self.rng.choice((row_id, f"0{row_id}", f"{row_id}.0", *PERSONS, "@home", "", "-"))
