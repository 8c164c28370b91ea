"""Writes generated records as the bytes of files: CSV, JSON, Parquet, tidy or not."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
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
        """A CSV file without a mistake."""
        return self._with_endings(self._csv_lines(header, rows, self.rng.choice(",,,;")))

    def untidy_csv_bytes(self, header: list[str], rows: Sequence[Sequence[str]]) -> bytes:
        """A CSV file with the mistakes that people and tools make."""
        has_empty_row = any(not "".join(row).strip() for row in rows)
        delimiter = self.rng.choice(",,;" if has_empty_row else ",,;\t")
        lines = self.with_stray_quotes(self._csv_lines(header, rows, delimiter), delimiter)
        if self.chance(0.1):
            lines.insert(0, f"sep={delimiter}".encode())
        return self.encoded(self._with_endings(lines))

    def _csv_lines(self, header: list[str], rows: Sequence[Sequence[str]], delimiter: str) -> list[bytes]:
        lines = [csv_line(header, delimiter).encode()]
        for row in rows:
            lines.append(csv_line(row, delimiter).encode())
            if self.chance(0.03):
                lines.append(b"")
        return lines

    def _with_endings(self, lines: list[bytes]) -> bytes:
        ending = b"\r\n" if self.chance(0.3) else b"\n"
        bom = b"\xef\xbb\xbf" * self.rng.choice((1, 1, 2)) if self.chance(0.15) else b""
        return bom + b"".join(line + ending for line in lines)

    def with_stray_quotes(self, lines: list[bytes], delimiter: str) -> list[bytes]:
        """The lines of a CSV file, the header first; in some files with quotes that were never meant."""
        lines = list(lines)
        if self.chance(0.75):
            return lines
        for number in self.rng.sample(range(1, len(lines)), min(2, len(lines) - 1)):
            # Where other quotes are near, the stray one may be the other end of a quoted field.
            if b'"' in b"".join(lines[max(0, number - 2) : number + 3]):
                continue
            starts = [0, *(match.end() for match in re.finditer(re.escape(delimiter.encode()), lines[number]))]
            inside = [match.end() for match in re.finditer(rb"\w(?=\w)", lines[number])]
            place = self.rng.choice(starts if self.chance(0.7) or not inside else inside)
            lines[number] = lines[number][:place] + b'"' + lines[number][place:]
        return lines

    def encoded(self, content: bytes) -> bytes:
        """The content of a text file, sometimes in another encoding than UTF-8."""
        kind = self.rng.random()
        if kind > 0.12:
            return content
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return content
        if kind > 0.06:
            return text.replace("\ufeff", "").encode("cp1252", errors="replace")
        codec, bom = self.rng.choice((("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)))
        return bom + text.encode(codec)

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
        """The lines with blank and undecodable ones among them, and BOMs; never blank before the first."""
        rng = self.rng
        ending = b"\r\n" if self.chance(0.3) else b"\n"
        parts: list[bytes] = []
        # A header stays as it is.
        first = 1 if lines and lines[0].startswith(b"sep=") else 0
        for number, line in enumerate(lines):
            if number > first and self.chance(0.03):
                # Between two letters or digits, where it cannot break a CSV row's quotes.
                cut = rng.choice([match.end() for match in re.finditer(rb"\w(?=\w)", line)] or [len(line)])
                line = line[:cut] + rng.choice(INVALID_UTF8) + line[cut:]
            parts.append(b"\xef\xbb\xbf" + line if number > first and self.chance(0.02) else line)
            if self.chance(0.04):
                # A tab alone is a row where tabs separate.
                parts.append(rng.choice((b"", b"", b"   ", b"" if b"\t" in lines[0] else b"\t")))
        content = ending.join(parts)
        bom = b"\xef\xbb\xbf" * rng.choice((1, 1, 2)) if self.chance(0.15) else b""
        return self.encoded(bom + content + (ending if self.chance(0.8) else b""))


class JsonNumber(str):
    """Text to be written into JSON as it is: a number as it is spelled, or a half of a surrogate pair."""


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
    """The text as a value of a Parquet column; what does not fit becomes NULL, or NaN where the column is of floats."""
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
        return math.nan if kind == "double" and text != "" else None
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
