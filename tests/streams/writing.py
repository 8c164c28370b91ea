"""Writes generated records as the bytes of files: CSV, JSON, Parquet, tidy or not."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import Random

import duckdb

from tests.streams.values import INVALID_UTF8

Delivery = Mapping[str, bytes | None]


def apply(delivery: Delivery, landing: Path) -> None:
    """Writes a delivery's files into the landing folder, and removes those that are None."""
    for name, content in delivery.items():
        path = landing / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


class RandomText:
    """Chance, and the ways in which text files differ that hold the same."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def csv_bytes(self, header: list[str], rows: Sequence[Sequence[str]]) -> bytes:
        delimiter = ";" if self.chance(0.2) else ","
        ending = "\r\n" if self.chance(0.3) else "\n"
        lines = [csv_line(header, delimiter)]
        for row in rows:
            lines.append(csv_line(row, delimiter))
            if self.chance(0.03):
                lines.append("")
        return (b"\xef\xbb\xbf" if self.chance(0.15) else b"") + "".join(line + ending for line in lines).encode()

    def damaged(self, content: bytes) -> bytes:
        wrong_checksum = content[:-8] + bytes(byte ^ 0xFF for byte in content[-8:])
        truncated = content[: self.rng.randint(1, len(content) - 1)]
        return self.rng.choice((truncated, truncated, wrong_checksum, b"this is no archive\n"))

    def padded(self, text: str) -> str:
        if not self.chance(0.1):
            return text
        before, after = self.rng.choice(((" ", ""), ("", " "), ("\t", "  "), ("\u00a0", "\u3000")))
        return f"{before}{text}{after}"

    def text_file(self, lines: list[bytes]) -> bytes:
        """The lines with blank and undecodable ones among them; never blank before the first."""
        rng = self.rng
        ending = b"\r\n" if self.chance(0.3) else b"\n"
        parts: list[bytes] = []
        for number, line in enumerate(lines):
            if number > 0 and self.chance(0.03):
                # Between two letters or digits, where it cannot break a CSV row's quotes.
                cut = rng.choice([match.end() for match in re.finditer(rb"\w(?=\w)", line)] or [len(line)])
                line = line[:cut] + rng.choice(INVALID_UTF8) + line[cut:]
            parts.append(line)
            if self.chance(0.04):
                parts.append(rng.choice((b"", b"", b"   ", b"\t")))
        content = ending.join(parts)
        bom = b"\xef\xbb\xbf" if self.chance(0.15) else b""
        return bom + content + (ending if self.chance(0.8) else b"")


class JsonNumber(str):
    """Text to be written into JSON as the number it spells."""


def json_line(value: object, *, ensure_ascii: bool = False, colon: str = ":") -> str:
    """A value as one line of JSON, its numbers spelled as they were given."""
    comma = "," if colon == ":" else ", "
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, Mapping):
        pairs = (
            f'"{name}"{colon}{json_line(inner, ensure_ascii=ensure_ascii, colon=colon)}'
            for name, inner in value.items()
        )
        return "{" + comma.join(pairs) + "}"
    if isinstance(value, list):
        return "[" + comma.join(json_line(inner, ensure_ascii=ensure_ascii, colon=colon) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=ensure_ascii)


def csv_line(values: Sequence[str], delimiter: str, quoted: bool = False) -> str:
    """One CSV row without its line ending."""
    line = io.StringIO()
    # With any other line terminator, Python before 3.13 would leave a line break in a name unquoted.
    csv.writer(line, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerow(values)
    return line.getvalue().removesuffix("\r\n")


def parquet_value(text: str | None, kind: str) -> object:
    """The text as a value of a Parquet column; what does not fit becomes NULL."""
    trimmed = (text or "").strip()
    if text is None or kind == "varchar":
        return text
    if kind.startswith("timestamp"):
        try:
            moment = datetime.fromisoformat(trimmed)
        except ValueError:
            return None
        # An instant that is refused has no text that the contract settles.
        if moment.tzinfo is None or not 2024 <= moment.year <= 2026:
            return None
        return moment if kind == "timestamptz" else moment.replace(tzinfo=None, microsecond=0)
    if not re.fullmatch(r"-?[0-9]{1,18}(\.0)?", trimmed):
        return None
    number = int(trimmed.removesuffix(".0"))
    return number if kind == "bigint" else float(number)


def parquet_bytes(types: Mapping[str, str], rows: Sequence[Sequence[object]]) -> bytes:
    """A Parquet file with columns of these DuckDB types."""
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"create table events ({columns})")
        if rows:
            row = f"({', '.join('?' for _ in types)})"
            values = [value for row_values in rows for value in row_values]
            connection.execute(f"insert into events values {', '.join(row for _ in rows)}", values)
        path = Path(folder) / "events.parquet"
        connection.execute(f"copy events to '{path}' (format parquet)")
        return path.read_bytes()
