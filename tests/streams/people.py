"""Makes up the users and channels of workspaces as time goes on: renamed, deleted, made again under the same name."""

from __future__ import annotations

from datetime import datetime
from random import Random

from tests.streams.values import PERSONS, ZERO_DATES


class People:
    """The users, or the channels, of a workspace, as they are at the moment; few names, so that they meet."""

    def __init__(self, rng: Random, ids: tuple[str, ...]) -> None:
        self._rng = rng
        self._names = rng.sample(PERSONS, 4)
        self._name_of = {row_id: rng.choice(self._names) for row_id in ids}
        self._deleted_at: dict[str, datetime] = {}

    @property
    def ids(self) -> list[str]:
        return list(self._name_of)

    def change(self, moment: datetime) -> None:
        """Renames one; or deletes one, whose name another one has from then on."""
        one, other = self._rng.sample(self.ids, 2)
        if self._rng.random() < 0.4:
            self._name_of[one] = self._rng.choice(self._names)
        else:
            self._deleted_at[one] = moment
            self._name_of[other] = self._name_of[one]
            self._deleted_at.pop(other, None)

    def name(self, row_id: str) -> str:
        """The name of one; of an id that nobody knows any name."""
        return self._name_of.get(row_id) or self._rng.choice(self._names)

    def deleted_at(self, row_id: str) -> str:
        """When one was deleted, as a directory file says it."""
        moment, rng = self._deleted_at.get(row_id), self._rng
        if rng.random() < 0.05:
            return rng.choice(("yes", "soon", "2025-02-30", "2025", "01/05/2025", "2025-01-01T25:00"))
        if moment is None:
            return rng.choice(("", "", "", " ", "NULL", "\\N", "-", "None", "nan", "FALSE", "0", *ZERO_DATES))
        spell = rng.choice(("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f+00", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"))
        return f" {moment:{spell}} " if rng.random() < 0.1 else f"{moment:{spell}}"
