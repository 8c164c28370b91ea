"""The users and channels of the workspaces: their latest rows, and the ids that names stand for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.reckoning.files import read_directory, read_listing
from tests.reckoning.values import full_name, normalised_id


@dataclass(frozen=True)
class Entry:
    """The latest row of a user or channel."""

    name: str | None
    channel_type: str | None
    is_deleted: bool


class Directory:
    """The users, or the channels, of every workspace."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Entry]] = defaultdict(dict)
        self._listed: dict[str, dict[str, Entry]] = {}

    def load_snapshot(self, workspace_id: str, data: bytes, prefix: str) -> None:
        """Takes the rows of a CSV snapshot whose columns are called `<prefix>_id`, `<prefix>_name`, …"""
        for row in read_directory(data):
            row_id = normalised_id(row.get(f"{prefix}_id"))
            if row_id is not None:
                self._entries[workspace_id][row_id] = Entry(
                    row.get(f"{prefix}_name"), row.get(f"{prefix}_type"), row.get("deleted_at") is not None
                )

    def load_listing(self, workspace_id: str, data: bytes, prefix: str) -> None:
        """Takes a whole listing of the API; what the last one had and this one has not is deleted, named as there."""
        entries = self._entries[workspace_id]
        listed: dict[str, Entry] = {}
        for row in read_listing(data):
            row_id = normalised_id(row.get("id"))
            if row_id is None:
                continue
            if prefix == "user":
                name = full_name(row.get("firstName"), row.get("lastName")) or row.get("email")
                listed[row_id] = Entry(name, None, False)
            else:
                listed[row_id] = Entry(row.get("name"), row.get("source"), False)
        for row_id, entry in self._listed.get(workspace_id, {}).items():
            if row_id not in listed:
                entries[row_id] = replace(entry, is_deleted=True)
        entries |= listed
        self._listed[workspace_id] = listed

    def entry(self, workspace_id: str, row_id: str) -> Entry | None:
        return self._entries[workspace_id].get(row_id)

    def entries(self) -> Iterator[tuple[str, str, Entry]]:
        """Workspace, id and latest row of each."""
        for workspace_id, entries in self._entries.items():
            for row_id, entry in entries.items():
                yield workspace_id, row_id, entry

    def resolver(self) -> Resolver:
        return Resolver(self)


class Resolver:
    """Finds the ids that texts stand for, by the directory as it is when this is made."""

    def __init__(self, directory: Directory) -> None:
        self._ids: set[tuple[str, str]] = set()
        self._bearers: dict[tuple[str, str], list[str]] = defaultdict(list)
        for workspace_id, row_id, entry in directory.entries():
            self._ids.add((workspace_id, row_id))
            if entry.name is not None and not re.fullmatch(r"[0-9]+(\.0)?", entry.name):
                self._bearers[workspace_id, entry.name].append(row_id)

    def resolve(self, workspace_id: str, text: str | None) -> str | None:
        """The id a trimmed text is, or is the only one's name of; else the text, as an id nobody knows.

        Digits are always an id, never a name.
        """
        as_id = normalised_id(text)
        if text is None or as_id is None or (workspace_id, as_id) in self._ids:
            return as_id
        bearers = self._bearers.get((workspace_id, text), [])
        return bearers[0] if len(bearers) == 1 else as_id
