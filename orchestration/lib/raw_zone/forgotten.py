"""The list of forgotten contacts: workspace, contact id, and when. It has no name. All else follows from it.

    <data folder>/forgotten_contacts.csv     beside raw/, so that a raw zone that is made again still knows them

The list is replaced in one step, and grows only. The writer reads and writes it.
"""

import csv
import io
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.lib.folders import flush_to_disk
from orchestration.lib.problems import Problem

_HEADER = ["workspace_id", "contact_id", "forgotten_at"]
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, order=True)
class Contact:
    """A contact of a workspace. The id has no leading zeros."""

    workspace_id: str
    contact_id: str


def contact_of(workspace_id: str, contact_id: str) -> Contact:
    """The contact that a person names. Raises Problem when the id is none (contract 2)."""
    found = re.fullmatch(r"\s*0*([0-9]+?)([.]0)?\s*", contact_id, re.ASCII)
    if found is None or not 0 < int(found[1]) <= _LARGEST_ID:
        raise Problem("The id of a contact is a positive whole number below 2^63", "Take it from the contact's page")
    return Contact(workspace_id, found[1])


class ForgottenContacts:
    """The list that belongs to a raw zone."""

    def __init__(self, raw: Path) -> None:
        self.path = raw.with_name("forgotten_contacts.csv")

    def read(self) -> frozenset[Contact]:
        """The contacts in the list. Raises Problem when a line of it is none."""
        return frozenset(Contact(workspace_id, contact_id) for workspace_id, contact_id, _ in self._rows())

    def add(self, contact: Contact) -> bool:
        """Add a contact, on the disk when this returns. False when the list has it already."""
        if contact in self.read():
            return False
        text = io.StringIO()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        csv.writer(text, lineterminator="\n").writerows(
            [_HEADER, *self._rows(), [contact.workspace_id, contact.contact_id, now]]
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        incoming = self.path.with_suffix(".tmp")
        incoming.write_text(text.getvalue(), encoding="utf-8", newline="")
        flush_to_disk(incoming)
        os.replace(incoming, self.path)
        flush_to_disk(self.path.parent)
        return True

    def _rows(self) -> list[list[str]]:
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file)
        except FileNotFoundError:
            return []
        except ValueError:
            header, rows = [], []
        for number, row in enumerate(rows, 2):
            if len(row) != len(_HEADER) or not re.fullmatch("[1-9][0-9]*", row[1], re.ASCII):
                raise self._damaged(f"line {number} is no contact")
        if header != _HEADER:
            raise self._damaged(f"its first line is not {','.join(_HEADER)}")
        return rows

    def _damaged(self, why: str) -> Problem:
        return Problem(
            f"The list of forgotten contacts {self.path} cannot be read: {why}",
            "Restore it from a backup, or mend the line: without the list, forgotten contacts would come back",
        )
