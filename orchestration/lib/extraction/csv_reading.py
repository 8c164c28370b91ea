"""Reads CSV files: finds the separator and the header, and cuts the records into chunks."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from orchestration.lib.extraction.chunks import BLANK, Chunk, chunks_of_lines
from orchestration.lib.extraction.csv_lines import Lines, StrayQuote
from orchestration.lib.extraction.encodings import (
    BOM,
    BYTES_MARK,
    FIELD_MARK,
    INVALID_BYTE_MARK,
    RECORD_MARK,
    blocks_of_text,
    in_encoding,
    lines_in_encoding,
)
from orchestration.lib.extraction.limits import LIMITS, Limits
from orchestration.lib.landing.file_types import NotReadable

# The header of an export is kept with each of its records.
LONGEST_HEADER = 64 << 10
MOST_COLUMNS = 2000

# The first line of a spreadsheet's CSV may say what separates the fields.
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[ ]*\r?\n?', re.IGNORECASE)
_SEPARATORS = (",", ";", "\t")

# A field may be as long as a record. The csv module's own limit is 128 KiB.
csv.field_size_limit(LIMITS.longest_record_bytes)


@dataclass(frozen=True)
class CsvHeader:
    """The first record of a CSV file: the names of its fields in order, and what separates them."""

    names: tuple[str, ...]
    delimiter: str


def read_csv(
    stream: BinaryIO,
    *,
    compressed: bool,
    encoding: str | None = None,
    is_known: Callable[[str], bool] = lambda name: False,
    limits: Limits = LIMITS,
) -> tuple[CsvHeader, Iterator[Chunk]]:
    """The header and the records of a CSV file. Raises NotReadable when it cannot be read to its end.

    `is_known` says whether a name, as written in a header, is one that such files have. Of comma, semicolon and tab,
    the one that yields the most known names separates the fields. `encoding` is as in `read_lines`.

    Up to the first block with a quote the chunks are plain lines, which DuckDB splits. From there on the csv module
    splits them, at a third of the speed.
    """
    lines = Lines(blocks_of_text(stream, compressed=compressed, limits=limits))
    separators: tuple[str, ...] = _SEPARATORS
    for line in lines:
        line = line.lstrip(BOM)
        if not line.strip(BLANK):
            continue
        if separators is _SEPARATORS and (separator_line := _SEPARATOR_LINE.fullmatch(line)):
            separators = (separator_line[1],)
            continue
        lines.put_back([line])
        header = _read_header(lines, separators, is_known, encoding)
        return header, _chunks(lines, header, encoding, limits)
    return CsvHeader((), ","), iter(())


def records_of(chunk: Chunk, delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """The records of a chunk as DuckDB splits them: line, text, fields. A record without fields cannot be split."""
    if chunk.split_into_fields:
        for record in chunk.text.split(RECORD_MARK):
            line, raw, *fields = record.split(FIELD_MARK)
            yield int(line), raw.split(BYTES_MARK)[0], fields
        return
    for number, record in enumerate(chunk.text.split("\n"), chunk.first_line):
        raw = record.split(BYTES_MARK)[0]
        if raw.strip(BLANK):
            yield number, raw, raw.split(delimiter)


def _read_header(
    lines: Lines, separators: tuple[str, ...], is_known: Callable[[str], bool], encoding: str | None
) -> CsvHeader:
    """Read the header with the separator that yields the most known names; of equals, the one with the most names."""
    headers = []
    for separator in separators:
        names = _read_names(lines, separator, encoding)
        # A quote within a name shows that a separator within quotes was taken for one outside.
        quotes = sum('"' in name for name in names)
        headers.append((sum(map(is_known, set(names))), -quotes, len(names), CsvHeader(names, separator)))
        lines.put_back(list(lines.taken))
    *_, header = max(headers, key=lambda found: found[:3])
    _read_names(lines, header.delimiter, encoding)
    if not header.names:
        raise NotReadable("has a first line that cannot be split into names: lines end with \\n or \\r\\n")
    if len(header.names) > MOST_COLUMNS:
        raise NotReadable(f"has {len(header.names):,} columns, and at most {MOST_COLUMNS:,} are read", "leave some out")
    lines.skip_joined(lines.taken)
    return header


def _read_names(lines: Lines, separator: str, encoding: str | None) -> tuple[str, ...]:
    """The names in a header, without stray quotes; empty where the separator cannot split it."""
    first = next(lines)
    if len(first) > LONGEST_HEADER:
        raise NotReadable(f"has a first line of more than {LONGEST_HEADER >> 10} KiB, which is no header")
    lines.put_back([first])
    lines.expect_records(separator, first.count(separator) + 1, LONGEST_HEADER, is_header=True)
    try:
        names = next(csv.reader(lines, delimiter=separator))
    except StrayQuote:
        names = first.rstrip("\r\n").replace('"', "").split(separator)
    except csv.Error:
        return ()
    return tuple(in_encoding(name, encoding) or name for name in names)


def _chunks(lines: Lines, header: CsvHeader, encoding: str | None, limits: Limits) -> Iterator[Chunk]:
    while text := lines.rest_of_block():
        lines_only = text.replace("\r\n", "\n")
        if '"' in lines_only or "\r" in lines_only:
            lines.put_back_block(text)
            break
        in_lines = lines_in_encoding(lines_only, encoding)
        yield from chunks_of_lines(in_lines, lines.number + 1, limits, header.delimiter)
        lines.number += text.count("\n")
    yield from _chunks_split_into_fields(lines, header, encoding, limits)


def _chunks_split_into_fields(lines: Lines, header: CsvHeader, encoding: str | None, limits: Limits) -> Iterator[Chunk]:
    records: list[str] = []
    size = values = 0
    for first_line, raw, fields in _records(lines, header, limits):
        size += len(raw)
        values += len(fields)
        raw = raw.removesuffix("\n").removesuffix("\r")
        if encoding and INVALID_BYTE_MARK in raw and (decoded := in_encoding(raw, encoding)) is not None:
            raw = f"{decoded}{BYTES_MARK}{raw}"
            fields = [in_encoding(field, encoding) or field for field in fields]
        records.append(FIELD_MARK.join((str(first_line), raw, *fields)))
        if size >= limits.chunk_bytes or values + len(records) >= limits.most_values:
            yield Chunk(RECORD_MARK.join(records), split_into_fields=True)
            records, size, values = [], 0, 0
    if records:
        yield Chunk(RECORD_MARK.join(records), split_into_fields=True)


def _records(lines: Lines, header: CsvHeader, limits: Limits) -> Iterator[tuple[int, str, list[str]]]:
    """Each record that is not blank: the line it starts on, its text, its fields (none when it cannot be split)."""
    lines.expect_records(header.delimiter, len(header.names), limits.longest_record_bytes)
    reader = csv.reader(lines, delimiter=header.delimiter)
    while True:
        lines.taken.clear()
        first_line = lines.number + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (StrayQuote, csv.Error):
            fields = []
        raw = "".join(lines.taken)
        if raw.strip(BLANK):
            yield first_line, raw, fields
