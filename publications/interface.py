"""What a publication must do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Published:
    """What a publication holds after it was made equal to the published file."""

    rows: Mapping[str, int]  # by table, `reports.contacts_overview`
    moved: int  # rows that were written or deleted; 0 when nothing had changed
    state: str  # what `Publication.state` says of it
    notes: tuple[str, ...] = ()  # what an operator should know, though the publication is whole


class Publication(Protocol):
    """A copy of the published file, or of a part of it, in another form and place.

    The copy is known from its place alone: no note elsewhere says what it holds. So a missed run, a restored backup or
    a row that somebody changed is mended by the next `publish`.
    """

    @property
    def name(self) -> str:
        """The name of the Dagster asset, below `published`. Letters, digits and underscores."""

    @property
    def title(self) -> str:
        """What a line says is published to: `the lake`."""

    @property
    def description(self) -> str:
        """One or two sentences for Dagster's page."""

    @property
    def kind(self) -> str:
        """The technology, as Dagster's page shows it."""

    @property
    def place(self) -> str:
        """Where it is, without a secret."""

    @property
    def target(self) -> str:
        """What is published where, without a secret. The publication is behind when it changes."""

    def state(self) -> str:
        """What is other when somebody else changed the place. Empty if nothing is there. Reads no rows.

        Raises what `publish` raises.
        """

    def publish(self, file: Path) -> Published:
        """Make the copy equal to the published file. Readers of the copy see the old one or the new one.

        May be killed at any moment, and repeated. Raises Problem with the cure when the place cannot be reached or
        written; a transient one is marked so.
        """

    def differences(self, file: Path) -> list[str]:
        """What differs between the copy and the published file, one line each. Empty when they are equal.

        Compares by counts and checksums, without moving rows. Raises what `publish` raises.
        """
