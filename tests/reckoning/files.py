"""Reads landed files: which are taken, and what records each one holds."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from tests.reckoning.values import parse_instant, trimmed

# Numbers are left as the text they were landed as.
JsonValue = str | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Fields = Mapping[str, JsonValue]
Part = tuple[int, str, Fields | None]

ROUTES = {
    "events": "events",
    "report_logs": "report_log",
    "data_export": "data_export",
    "webhooks": "webhook",
    "api_contacts": "api",
}
DIRECTORY_KINDS = ("users", "channels", "api_users", "api_channels")
# A line of nothing else is blank. Any other white space alone on a line is a record, if a malformed one.
BLANK = " \t\n\f\r"


@dataclass(frozen=True, eq=False)
class Record:
    """A landed record; its fields are None where it is malformed."""

    file: LandedFile
    source_line: int
    raw_record: str
    fields: Fields | None

    @property
    def workspace_id(self) -> str:
        return self.file.workspace_id

    @property
    def route(self) -> str:
        return self.file.route


@dataclass(frozen=True, eq=False)
class LandedFile:
    """A version of an event file, as it was loaded; the names of its columns, where it is CSV."""

    workspace_id: str
    kind: str
    source_file: str
    loaded_at: datetime
    header: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)

    @property
    def route(self) -> str:
        return ROUTES[self.kind]


@dataclass(frozen=True)
class Contents:
    """What a file holds: the names of its columns, where it is CSV, and its records."""

    header: tuple[str, ...]
    parts: list[Part]


def is_taken(relative: Path) -> bool:
    """Whether a file is complete by its name."""
    return not relative.name.endswith((".tmp", ".part")) and not any(part.startswith(".") for part in relative.parts)


def kind_of(relative: Path) -> str | None:
    """The kind of a file by its folder and name, None where it is not read."""
    _, folder, name = relative.parts
    endings = {
        "events": (".jsonl", ".csv", ".jsonl.gz", ".csv.gz", ".parquet"),
        "report_logs": (".csv", ".csv.gz"),
        "data_export": (".csv", ".csv.gz"),
        "webhooks": (".jsonl", ".jsonl.gz"),
        "users": (".csv",),
        "channels": (".csv",),
    }
    if folder in endings:
        return folder if name.endswith(endings[folder]) else None
    if folder == "api":
        if name.startswith("contacts-") and name.endswith(".jsonl"):
            return "api_contacts"
        return {"users.jsonl": "api_users", "channels.jsonl": "api_channels"}.get(name)
    return None


def hex_escaped(error: UnicodeError) -> tuple[str, int]:
    """Decoding error handler that shows each undecodable byte as its hexadecimal escape."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"\\x{byte:02X}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("hex_escaped", hex_escaped)


@dataclass(frozen=True)
class Line:
    """A physical line with its line ending, and whether it was UTF-8."""

    text: str
    is_utf8: bool


def physical_lines(data: bytes) -> list[Line]:
    """The lines of a text file, its BOM left out."""
    lines = []
    for line in io.BytesIO(data.removeprefix(codecs.BOM_UTF8)).readlines():
        try:
            lines.append(Line(line.decode(), True))
        except UnicodeDecodeError:
            lines.append(Line(line.decode(errors="hex_escaped"), False))
    return lines


def without_line_ending(text: str) -> str:
    """The text without the line feed, or carriage return and line feed, that ends it."""
    return text.removesuffix("\n").removesuffix("\r")


def read_jsonl(data: bytes) -> list[Part]:
    """Line number, raw text and fields of each record of a JSON Lines file."""
    parts: list[Part] = []
    for number, line in enumerate(physical_lines(data), start=1):
        if line.text.strip(BLANK):
            raw = without_line_ending(line.text)
            parts.append((number, raw, json_fields(raw) if line.is_utf8 else None))
    return parts


def json_fields(text: str) -> dict[str, JsonValue] | None:
    """The fields of a JSON object; None where the text is not strictly one."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=refuse_constant)
        # An escaped half of a surrogate pair is no text: encoding it raises a ValueError too.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def refuse_constant(name: str) -> object:
    """Refuses NaN and the infinities, which Python reads and JSON does not know."""
    raise ValueError(name)


def json_text(value: JsonValue) -> str | None:
    """The text of a JSON value whose numbers were left as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def csv_rows(data: bytes) -> Iterator[tuple[int, str, list[str] | None, bool]]:
    """Line number, raw text, values (None where it cannot be split) and whether all was UTF-8, of each row, header
    included."""
    lines = physical_lines(data)
    header = next((line.text for line in lines if line.text.strip(BLANK)), "")
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader((line.text for line in lines), delimiter=delimiter)
    start = 0
    while start < len(lines):
        values: list[str] | None
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            values = None
        row_lines = lines[start : reader.line_num]
        raw = without_line_ending("".join(line.text for line in row_lines))
        if raw.strip(BLANK):
            yield start + 1, raw, values, all(line.is_utf8 for line in row_lines)
        start = reader.line_num


def read_csv(data: bytes, name_of: Callable[[str], str]) -> Contents:
    """The records of a CSV file, its columns called what `name_of` makes of their names. Raises csv.Error when the
    header cannot be split."""
    rows = csv_rows(data)
    header = next(rows, None)
    if header is None:
        return Contents((), [])
    if header[2] is None:
        raise csv.Error("header")
    names = tuple(map(name_of, header[2]))
    parts: list[Part] = []
    for number, raw, values, is_utf8 in rows:
        whole = is_utf8 and values is not None and len(values) == len(names)
        # Of columns of one name the first counts.
        pairs = zip(reversed(names), reversed(values or []), strict=False)
        parts.append((number, raw, dict(pairs) if whole else None))
    return Contents(names, parts)


def canonical_name(name: str) -> str:
    """A column's name in our own files."""
    return name.strip().lower()


def exported_name(name: str) -> str:
    """A column's name in a file that respond.io exported: its letters and digits."""
    return re.sub("[^a-z0-9]", "", name.lower())


def read_parquet(path: Path) -> list[Part]:
    """Row number, raw JSON and fields of each row of a Parquet file, every value as text."""
    with duckdb.connect() as connection:
        scan = "from read_parquet(?, hive_partitioning = false)"
        columns = connection.execute(f"describe select * {scan}", [str(path)]).fetchall()
        names = [column[0] for column in columns]
        instants = {column[0] for column in columns if column[1] == "TIMESTAMP WITH TIME ZONE"}
        values = ", ".join(f'epoch_us("{name}")' if name in instants else f'"{name}"::varchar' for name in names)
        rows = connection.execute(f"select {values} {scan}", [str(path)]).fetchall()
    parts: list[Part] = []
    for number, row in enumerate(rows, start=1):
        fields = {
            name: instant_text(value) if name in instants and value is not None else value
            for name, value in zip(names, row, strict=True)
        }
        parts.append((number, json.dumps(fields), fields))
    return parts


def instant_text(microseconds: int) -> str:
    """A Parquet instant as a canonical `occurred_at`."""
    return f"{datetime(1970, 1, 1) + timedelta(microseconds=microseconds):%Y-%m-%dT%H:%M:%S.%f}Z"


def comparable_row(raw_record: str) -> dict[str, object]:
    """What two `raw_record`s of a Parquet row must agree on, whatever JSON types they were written with.

    Nulls are left out, numbers and booleans are their text, and an instant is the same in any spelling.
    """
    fields = json_fields(raw_record)
    assert fields is not None, raw_record
    present = {name: text for name, value in fields.items() if (text := json_text(value)) is not None}
    return {name: parse_instant(text) or text for name, text in present.items()}


def read_event_file(path: Path, kind: str) -> Contents | None:
    """A file's records; None where it cannot be read to its end."""
    try:
        if path.suffix == ".parquet":
            return Contents((), read_parquet(path))
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if path.name.removesuffix(".gz").endswith(".csv"):
            return read_csv(data, canonical_name if kind == "events" else exported_name)
    except (EOFError, OSError, zlib.error, csv.Error, duckdb.Error):
        return None
    return Contents((), read_jsonl(data))


def read_directory(data: bytes) -> list[dict[str, str | None]]:
    """The trimmed rows of a directory file, but for those with a wrong number of fields."""
    rows = [fields for _, _, fields in read_csv(data, canonical_name).parts if fields is not None]
    return [{name: trimmed(json_text(value)) for name, value in row.items()} for row in rows]


def read_listing(data: bytes) -> list[dict[str, str | None]]:
    """The trimmed objects of a listing that the API gave, but for the lines that are none."""
    objects = [fields for _, _, fields in read_jsonl(data) if fields is not None]
    return [{name: trimmed(json_text(value)) for name, value in fields.items()} for fields in objects]
