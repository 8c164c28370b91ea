"""All that the views are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.reckoning.claims import Claim, NoClaim
from tests.reckoning.directories import Directory
from tests.reckoning.files import LandedFile, Record
from tests.reckoning.resolving import Outcome

Row = dict[str, object]


@dataclass(frozen=True)
class State:
    """What was loaded so far and what became of it."""

    files: list[LandedFile]
    claims: Mapping[Record, Claim | NoClaim]
    workspaces: Mapping[str, Mapping[str, str | None]]
    users: Directory
    channels: Directory
    outcome: Outcome
