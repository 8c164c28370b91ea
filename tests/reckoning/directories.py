"""The users and channels of the workspaces: all rows of them, and the ids that names stand for (contract 5)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tests.reckoning.directory_rows import Entry, read_row, rows_of_webhook
from tests.reckoning.files import DIRECTORY_KINDS, LandedFile, Record
from tests.reckoning.rejections import Rejection
from tests.reckoning.values import normalised_id

Key = tuple[str, str]


class Directory:
    """The users, or the channels, of every workspace: of each id all rows that count, the latest last."""

    def __init__(self) -> None:
        self.rows: dict[Key, list[Entry]] = defaultdict(list)
        # Of each workspace what the last whole listing of the API had, and all listings since.
        self._listed: dict[str, dict[str, Entry]] = defaultdict(dict)

    def take_snapshot(self, workspace_id: str, rows: list[Entry]) -> None:
        """Takes the rows of a snapshot file."""
        for row in rows:
            self.rows[workspace_id, row.row_id].append(row)

    def take_listing(self, workspace_id: str, rows: list[Entry], is_whole: bool, loaded_at: datetime) -> None:
        """Takes a listing of the API. What a whole one no longer has is deleted, named as it was listed last."""
        listed = {row.row_id: row for row in rows}
        before = self._listed[workspace_id]
        if is_whole:
            gone = [replace(entry, deleted_at=loaded_at) for row_id, entry in before.items() if row_id not in listed]
            self.take_snapshot(workspace_id, gone)
        self._listed[workspace_id] = listed if is_whole else before | listed
        self.take_snapshot(workspace_id, rows)

    def latest(self, workspace_id: str, row_id: str | None) -> Entry | None:
        rows = self.rows.get((workspace_id, row_id or ""))
        return rows[-1] if rows else None

    def entries(self) -> Iterator[tuple[str, str, Entry]]:
        """Workspace, id and latest row of each."""
        for (workspace_id, row_id), rows in self.rows.items():
            yield workspace_id, row_id, rows[-1]


@dataclass(frozen=True)
class Directories:
    """Users and channels, and why rows of their files are rejected."""

    users: Directory
    channels: Directory
    rejected: dict[Record, Rejection]


def read_directories(files: list[LandedFile], zones: Mapping[str, str]) -> Directories:
    """What the files say in the order of their loading, by the zones of the listed workspaces."""
    known = Directories(Directory(), Directory(), {})
    by_webhooks = Directory(), Directory()
    for file in files:
        if file.kind in DIRECTORY_KINDS:
            take_file(file, zones, known)
        elif file.kind == "webhooks":
            for record in file.records:
                for directory, row in zip(by_webhooks, rows_of_webhook(record.fields), strict=True):
                    if row is not None:
                        directory.rows[file.workspace_id, row.row_id].append(row)
    for directory, named in zip((known.users, known.channels), by_webhooks, strict=True):
        # What no file and no listing has ever had is known by the webhooks.
        for key, rows in named.rows.items():
            directory.rows.setdefault(key, rows)
    return known


def take_file(file: LandedFile, zones: Mapping[str, str], known: Directories) -> None:
    """Takes the rows of a directory file that can be used; the others are rejected."""
    rows: list[Entry] = []
    is_whole = True
    for record in file.records:
        row = read_row(record, zones)
        if isinstance(row, Rejection):
            known.rejected[record] = row
            is_whole = False
        else:
            rows.append(row)
    directory = known.users if file.kind.endswith("users") else known.channels
    if file.kind.startswith("api_"):
        directory.take_listing(file.workspace_id, rows, is_whole, file.loaded_at)
    else:
        directory.take_snapshot(file.workspace_id, rows)


class Resolver:
    """Finds the ids that texts of events stand for."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._named_now: dict[Key, set[str]] = defaultdict(set)
        self._ever_named: dict[Key, set[str]] = defaultdict(set)
        for (workspace_id, row_id), rows in directory.rows.items():
            for row in rows:
                if row.name is not None:
                    self._ever_named[workspace_id, row.name].add(row_id)
            if rows[-1].name is not None:
                self._named_now[workspace_id, rows[-1].name].add(row_id)

    def resolve(self, workspace_id: str, text: str | None, occurred_at: datetime) -> str | None:
        """The id a trimmed text of an event at that time is, or is the name of; else the text, as an id nobody knows.

        Digits are always an id, never a name.
        """
        if text is None or re.fullmatch(r"[0-9]+(\.0)?", text):
            return normalised_id(text)
        if self._directory.latest(workspace_id, text) is not None:
            return text
        bearers = self._named_now.get((workspace_id, text)) or self._ever_named.get((workspace_id, text), set())
        deleted_at = {row_id: self._deletion(workspace_id, row_id) for row_id in bearers}
        there = {row_id: at for row_id, at in deleted_at.items() if at is None or at > occurred_at}
        first = min((at for at in there.values() if at is not None), default=None)
        meant = [row_id for row_id, at in there.items() if at == first]
        return meant[0] if len(meant) == 1 else text

    def _deletion(self, workspace_id: str, row_id: str) -> datetime | None:
        latest = self._directory.latest(workspace_id, row_id)
        return latest.deleted_at if latest else None
