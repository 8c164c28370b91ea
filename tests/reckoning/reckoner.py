"""Loads a landing folder's history, run by run, and gives what the contract says of it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cached_property
from pathlib import Path

from tests.reckoning.claims import Claim, NoClaim, claims_of
from tests.reckoning.contacts import contacts
from tests.reckoning.directories import Directory
from tests.reckoning.files import (
    DIRECTORY_KINDS,
    LandedFile,
    Record,
    is_taken,
    kind_of,
    read_directory,
    read_event_file,
)
from tests.reckoning.judging import Judge
from tests.reckoning.resolving import resolve
from tests.reckoning.state import Row, State
from tests.reckoning.views import VIEWS


class Reckoning:
    """What the contract says of a landing folder's history: load after each delivery, then view.

    The `raw_record` of a Parquet row is JSON: compare it by `comparable_row`, on both sides.
    """

    def __init__(self) -> None:
        self.unreadable: list[str] = []
        self.files: list[LandedFile] = []
        self._claims: dict[Record, Claim | NoClaim] = {}
        self._workspaces: dict[str, dict[str, str | None]] = {}
        self._users, self._channels = Directory(), Directory()
        self._loaded_contents: set[tuple[str, str, bytes]] = set()
        self._loaded_directories: dict[Path, bytes] = {}

    def load(self, landing: Path, loaded_at: datetime) -> None:
        """Loads what is new in the landing folder, as one run of the pipeline at that time would.

        `unreadable` then names the files that this run must warn of.
        """
        self.unreadable = []
        self.__dict__.pop("_state", None)
        listing = landing / "workspaces.csv"
        if listing.is_file():
            rows = read_directory(listing.read_bytes())
            self._workspaces = {row_id: row for row in rows if (row_id := row.get("workspace_id"))}
        paths = [path.relative_to(landing) for path in landing.glob("*/*/*") if path.is_file()]
        for path in sorted(filter(is_taken, paths), key=lambda path: path.as_posix().encode()):
            kind = kind_of(path)
            if kind in DIRECTORY_KINDS:
                self._load_directory(landing, path, kind)
            elif kind is not None:
                self._load_events(landing, path, kind, loaded_at)

    def _load_events(self, landing: Path, path: Path, kind: str, loaded_at: datetime) -> None:
        workspace_id = path.parts[0]
        content = (workspace_id, kind, hashlib.sha256((landing / path).read_bytes()).digest())
        if content in self._loaded_contents:
            return
        contents = read_event_file(landing / path, kind)
        if contents is None:
            self.unreadable.append(path.as_posix())
            return
        self._loaded_contents.add(content)
        file = LandedFile(workspace_id, kind, path.as_posix(), loaded_at, contents.header)
        file.records.extend(Record(file, *part) for part in contents.parts)
        self.files.append(file)
        self._claims |= claims_of(file)

    def _load_directory(self, landing: Path, path: Path, kind: str) -> None:
        data = (landing / path).read_bytes()
        if self._loaded_directories.get(path) == data:
            return
        self._loaded_directories[path] = data
        directory, prefix = (self._users, "user") if kind.endswith("users") else (self._channels, "channel")
        load = directory.load_listing if kind.startswith("api_") else directory.load_snapshot
        load(path.parts[0], data, prefix)

    @cached_property
    def _state(self) -> State:
        zones = {workspace_id: row.get("timezone") or "" for workspace_id, row in self._workspaces.items()}
        judge = Judge(zones, self._users.resolver(), self._channels.resolver())
        outcome = resolve(self.files, self._claims, judge)
        return State(self.files, self._claims, self._workspaces, self._users, self._channels, outcome)

    def view(self, name: str) -> list[Row]:
        """The rows, in any order, of a view of the schemas `reports` and `quality`."""
        return list(VIEWS[name](self._state))

    def contacts(self) -> list[Row]:
        """One row per contact of a standing event, with its status and the contact it survives as."""
        return contacts(self._state.outcome.standing)
