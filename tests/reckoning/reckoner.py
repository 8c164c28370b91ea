"""Loads a landing folder's history, run by run, and gives what the contract says of it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cached_property
from pathlib import Path

from tests.reckoning.claims import Claim, NoClaim, claims_of
from tests.reckoning.contacts import contacts
from tests.reckoning.files import DIRECTORY_KINDS, LandedFile, Record, is_taken, kind_of, read_csv, read_file
from tests.reckoning.state import Row, State, state_of
from tests.reckoning.values import trimmed
from tests.reckoning.views import VIEWS


class Reckoning:
    """What the contract says of a landing folder's history: load after each delivery, then view.

    The `raw_record` of a Parquet row is JSON: compare it by `comparable_row`, on both sides.
    """

    def __init__(self, encoding: str | None = None) -> None:
        """`encoding` is the setting CONTACT_REPORTS_ENCODING."""
        self.unreadable: list[str] = []
        self.files: list[LandedFile] = []
        self._encoding = encoding
        self._claims: dict[Record, Claim | NoClaim] = {}
        self._workspaces: dict[str, dict[str, str | None]] = {}
        self._loaded_contents: set[tuple[str, str, bytes]] = set()
        self._last_loaded: dict[Path, bytes] = {}

    def load(self, landing: Path, loaded_at: datetime) -> None:
        """Loads what is new in the landing folder, as one run of the pipeline at that time would.

        `unreadable` then names the files that this run must warn of.
        """
        self.unreadable = []
        self.__dict__.pop("_state", None)
        listing = landing / "workspaces.csv"
        if listing.is_file():
            self._workspaces = workspaces_of(listing.read_bytes())
        paths = [path.relative_to(landing) for path in landing.glob("*/*/*") if path.is_file()]
        for path in sorted(filter(is_taken, paths), key=lambda path: path.as_posix().encode()):
            kind = kind_of(path)
            if kind is not None:
                self._load_file(landing, path, kind, loaded_at)

    def _load_file(self, landing: Path, path: Path, kind: str, loaded_at: datetime) -> None:
        """Loads a file, unless it was: an event file by its bytes, a directory file by those that were there last."""
        workspace_id = path.parts[0]
        digest = hashlib.sha256((landing / path).read_bytes()).digest()
        content = (workspace_id, kind, digest)
        is_directory = kind in DIRECTORY_KINDS
        if self._last_loaded.get(path) == digest if is_directory else content in self._loaded_contents:
            return
        contents = read_file(landing / path, kind, self._encoding)
        if contents is None:
            self.unreadable.append(path.as_posix())
            return
        self._loaded_contents.add(content)
        self._last_loaded[path] = digest
        file = LandedFile(workspace_id, kind, path.as_posix(), loaded_at, contents.header, contents.columns)
        file.records.extend(Record(file, *part) for part in contents.parts)
        self.files.append(file)
        if not is_directory:
            self._claims |= claims_of(file)

    @cached_property
    def _state(self) -> State:
        return state_of(self.files, self._claims, self._workspaces)

    def view(self, name: str) -> list[Row]:
        """The rows, in any order, of a view of the schemas `reports` and `quality`."""
        return list(VIEWS[name](self._state))

    def contacts(self) -> list[Row]:
        """One row per contact of a standing event, with its status and the contact it survives as."""
        return contacts(self._state.outcome.standing)


def workspaces_of(data: bytes) -> dict[str, dict[str, str | None]]:
    """The trimmed rows of `workspaces.csv` by their id."""
    rows: dict[str, dict[str, str | None]] = {}
    for _, _, fields in read_csv(data, "workspaces", None).parts:
        row = {name: trimmed(str(value)) for name, value in (fields or {}).items()}
        if row_id := row.get("workspace_id"):
            rows[row_id] = row
    return rows
