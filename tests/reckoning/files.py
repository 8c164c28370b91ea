"""Reads landed files: which are taken, and what records each one holds (contract 2)."""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from tests.reckoning.csv_text import read_rows
from tests.reckoning.headers import field_of, is_known
from tests.reckoning.text import physical_lines, without_line_ending
from tests.reckoning.values import parse_instant

# Numbers are left as the text they were landed as.
JsonValue = str | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Fields = Mapping[str, JsonValue]
Part = tuple[int, str, Fields | None]

EVENT_ROUTES = {
    "events": "events",
    "report_logs": "report_log",
    "data_export": "data_export",
    "webhooks": "webhook",
    "api_contacts": "api",
}
DIRECTORY_KINDS = ("users", "channels", "api_users", "api_channels")


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
    """A version of a file, as it was loaded; its header line and the fields of its columns, where it is CSV."""

    workspace_id: str
    kind: str
    source_file: str
    loaded_at: datetime
    header: str | None = None
    columns: tuple[str, ...] = ()
    records: list[Record] = field(default_factory=list)

    @property
    def route(self) -> str:
        """Its route; of a directory file the kind itself."""
        return EVENT_ROUTES.get(self.kind, self.kind)


@dataclass(frozen=True)
class Contents:
    """What a file holds: its header line and the fields of its columns, where it is CSV, and its records."""

    header: str | None
    columns: tuple[str, ...]
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


def read_jsonl(data: bytes, encoding: str | None) -> list[Part]:
    """Line number, raw text and fields of each record of a JSON Lines file."""
    parts: list[Part] = []
    for number, line in enumerate(physical_lines(data, encoding), start=1):
        if not line.is_blank:
            raw = without_line_ending(line.without_bom.text)
            parts.append((number, raw, json_fields(raw) if line.is_text else None))
    return parts


def json_fields(text: str) -> dict[str, JsonValue] | None:
    """The fields of a JSON object; None where the text is not strictly one."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=refuse_constant)
        # Only an escape can spell half of a pair.
        value = without_surrogates(value) if "\\u" in text else value
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def without_surrogates(value: JsonValue) -> JsonValue:
    """The value with U+FFFD for each escaped half of a surrogate pair, which is no text."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [without_surrogates(inner) for inner in value]
    if isinstance(value, dict):
        return {str(without_surrogates(name)): without_surrogates(inner) for name, inner in value.items()}
    return value


def refuse_constant(name: str) -> object:
    """Refuses NaN and the infinities, which Python reads and JSON does not know."""
    raise ValueError(name)


def json_text(value: JsonValue) -> str | None:
    """The text of a JSON value whose numbers were left as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def read_csv(data: bytes, kind: str, encoding: str | None) -> Contents:
    """The records of a CSV file of a kind. Raises csv.Error when the header cannot be split."""
    rows = read_rows(physical_lines(data, encoding), lambda name: is_known(kind, name))
    header = next(rows, None)
    if header is None:
        return Contents(None, (), [])
    if header.values is None:
        raise csv.Error("header")
    columns = tuple(field_of(kind, name) for name in header.values)
    parts: list[Part] = []
    for row in rows:
        whole = row.values is not None and len(row.values) == len(columns)
        # Of columns of one name the first counts.
        pairs = zip(reversed(columns), reversed(row.values or []), strict=False)
        parts.append((row.number, row.raw, dict(pairs) if whole else None))
    return Contents(header.raw, columns, parts)


def read_parquet(path: Path) -> list[Part]:
    """Row number, raw JSON and fields of each row of a Parquet file, every value as text."""
    with duckdb.connect() as connection:
        scan = "from read_parquet(?, hive_partitioning = false)"
        columns = connection.execute(f"describe select * {scan}", [str(path)]).fetchall()
        types = {column[0]: column[1] for column in columns}
        names = list(types)
        instants = {name for name in names if types[name] == "TIMESTAMP WITH TIME ZONE"}
        values = ", ".join(f'epoch_us("{name}")' if name in instants else f'"{name}"::varchar' for name in names)
        rows = connection.execute(f"select {values} {scan}", [str(path)]).fetchall()
    parts: list[Part] = []
    for number, row in enumerate(rows, start=1):
        fields = {
            name: instant_text(value) if name in instants and value is not None else value
            for name, value in zip(names, row, strict=True)
            if name == "contact_name" or not is_nan(value, types[name])
        }
        parts.append((number, json.dumps(fields), fields))
    return parts


def is_nan(text: object, column_type: str) -> bool:
    """Whether a value of a floating-point column is none."""
    return column_type in ("FLOAT", "DOUBLE") and text is not None and math.isnan(float(str(text)))


def instant_text(microseconds: int) -> str:
    """A Parquet instant as a canonical `occurred_at`."""
    return f"{datetime(1970, 1, 1) + timedelta(microseconds=microseconds):%Y-%m-%dT%H:%M:%S.%f}Z"


def comparable_row(raw_record: str) -> dict[str, object]:
    """What two `raw_record`s of a Parquet row must agree on, whatever JSON types they were written with.

    Nulls and NaN are left out, numbers and booleans are their text, and an instant is the same in any spelling.
    """
    fields = json_fields(raw_record)
    assert fields is not None, raw_record
    present = {name: text for name, value in fields.items() if (text := json_text(value)) is not None}
    return {name: parse_instant(text) or text for name, text in present.items() if text.lower() != "nan"}


def read_file(path: Path, kind: str, encoding: str | None) -> Contents | None:
    """A file's records; None where it cannot be read to its end."""
    try:
        if path.suffix == ".parquet":
            return Contents(None, (), read_parquet(path))
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if path.name.removesuffix(".gz").endswith(".csv"):
            return read_csv(data, kind, encoding)
    except (EOFError, OSError, zlib.error, csv.Error, duckdb.Error):
        return None
    return Contents(None, (), read_jsonl(data, encoding))
