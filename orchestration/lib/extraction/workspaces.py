"""Checks workspaces.csv before anything is loaded: the events of a workspace have no day without its time zone."""

import difflib
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, cast

import duckdb

from orchestration.lib.extraction.checksums import HashingStream
from orchestration.lib.extraction.csv_reading import read_csv, records_of
from orchestration.lib.extraction.encodings import INVALID_BYTE_MARK
from orchestration.lib.extraction.header_names import is_known_in
from orchestration.lib.extraction.spelling import column_name
from orchestration.lib.landing.file_types import NotReadable
from orchestration.lib.landing.kinds import WORKSPACES
from orchestration.lib.landing.listing import Landing, Listing
from orchestration.lib.problems import Problem

_COLUMNS = tuple(WORKSPACES.columns.values())

# Characters of a line that an error shows.
_SHOWN = 200


@dataclass(frozen=True)
class Workspaces:
    """The ids in workspaces.csv, and the SHA-256 of the bytes that have them."""

    ids: frozenset[str]
    sha256: str


def check_workspaces(landing: Landing, listing: Listing, encoding: str | None) -> Workspaces:
    """Read and check workspaces.csv. Raises Problem when it is missing or a line of it is wrong.

    Lines that are not UTF-8 are read in `encoding`.
    """
    place = f"{landing.url.rstrip('/')}/{WORKSPACES.file_names}"
    file = next((file for file in listing.files if file.kind is WORKSPACES), None)
    if file is None:
        refused = f"{WORKSPACES.file_names} is not read: "
        if reason := next((text for text in listing.warnings if text.startswith(refused)), None):
            raise Problem(f"{place} is not read: {reason.removeprefix(refused)}", "Put a file there")
        raise Problem(
            f"There is no {place}",
            f"Put one there with the columns {','.join(_COLUMNS)} and a row for each workspace",
        )
    try:
        with landing.open(file) as stream:
            hashed = HashingStream(stream)
            ids = frozenset(_ids(place, cast(BinaryIO, BufferedReader(hashed)), encoding))
            return Workspaces(ids, hashed.checksum())
    except PermissionError:
        raise Problem(f"{place} cannot be read", "Give the user who runs the pipeline permission to read it") from None
    except OSError as error:
        raise Problem(f"{place} cannot be read ({error.strerror or error})", "Run again") from None
    except NotReadable as error:
        raise Problem(f"{place} cannot be read: it {error}", "Replace it") from None


def _ids(place: str, stream: BinaryIO, encoding: str | None) -> Iterator[str]:
    header, chunks = read_csv(stream, compressed=False, encoding=encoding, is_known=is_known_in(WORKSPACES))
    names = [column_name(name) for name in header.names]
    if missing := [column for column in _COLUMNS if column not in names]:
        raise Problem(f"{place} has no column {', '.join(missing)}", f"Its first line is {','.join(_COLUMNS)}")
    if twice := [column for column in _COLUMNS if names.count(column) > 1]:
        raise Problem(f"{place} has the column {', '.join(twice)} twice", f"Its first line is {','.join(_COLUMNS)}")
    zones = _zones()
    lines: dict[str, int] = {}
    for line, whole, fields in (record for chunk in chunks for record in records_of(chunk, header.delimiter)):
        raw = whole[:_SHOWN]
        where = f"Line {line} of {place}"
        if INVALID_BYTE_MARK in whole:
            also = f" and not {encoding}" if encoding else ""
            raise Problem(
                f"{where} is not UTF-8{also}",
                "Save it as UTF-8, or set CONTACT_REPORTS_ENCODING to the encoding it is in, such as cp1252",
            )
        if not fields:
            raise Problem(f"{where} has a quote that is not closed, or a stray carriage return: {raw}", "Mend the line")
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(names):
            raise Problem(
                f"{where} has {len(fields)} fields instead of {len(names)}: {raw}",
                "Quote values that contain the separator",
            )
        values = dict(zip(names, (field.strip() for field in fields), strict=True))
        workspace_id, zone = values["workspace_id"], values["timezone"]
        if not workspace_id:
            raise Problem(f"{where} has no workspace_id: {raw}", "Give it the folder's name")
        if workspace_id in lines:
            raise Problem(
                f"{where} has the workspace {workspace_id!r} again, which line {lines[workspace_id]} has",
                "Remove one of them",
            )
        if zone not in zones:
            close = difflib.get_close_matches(zone, zones, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise Problem(
                f"{where} gives workspace {workspace_id!r} the time zone {zone!r}, which does not exist",
                f"{hint}Use an IANA name such as Europe/Paris",
            )
        lines[workspace_id] = line
        yield workspace_id


def _zones() -> frozenset[str]:
    """The names of time zones that both Python and DuckDB know."""
    with duckdb.connect() as connection:
        known = {name for (name,) in connection.execute("select name from pg_timezone_names()").fetchall()}
    return frozenset(known & zoneinfo.available_timezones())
