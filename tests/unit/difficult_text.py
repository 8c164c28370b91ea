"""Texts that are difficult to read, and another way to find the records in them, for tests of reading."""

import csv
import io
import re
from collections.abc import Iterator

from hypothesis import settings
from hypothesis import strategies as st

from orchestration.lib.extraction.chunks import Chunk, read_lines
from orchestration.lib.extraction.csv_reading import CsvHeader, read_csv
from orchestration.lib.extraction.encodings import (
    BYTES_MARK,
    CHUNK_MARK,
    FIELD_MARK,
    INVALID_BYTE_MARK,
    RECORD_MARK,
)
from orchestration.lib.extraction.limits import LIMITS, Limits

BOM = b"\xef\xbb\xbf"
Record = tuple[int, str, list[str] | None]
# Everything that ends, quotes, separates or only looks as if it did; what Python calls white space and others do not;
# bytes that are no UTF-8, alone or in the middle of a character; the marks that reading itself puts into a text.
NASTY = [
    *(b'"', b'""', b'"a', b'b"', b",", b";", b"\n", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"a", b"b,c", b"\\"),
    *(text.encode() for text in ("\ufeff", "é", "🦆", "\u00a0", "\u0085", "\u2028", "\x0b", "\x1c", "\x00")),
    *(b"\xff", b"\xc3", b"\xa9", b"\xf0\x9f", b"\xed\xa0\x80", b"\xef\xb7"),
    *(mark.encode() for mark in (INVALID_BYTE_MARK, FIELD_MARK, RECORD_MARK, CHUNK_MARK, BYTES_MARK, "\ufdd5")),
]
nasty_bytes = st.lists(st.sampled_from(NASTY), max_size=40).map(b"".join)
nasty_bytes_with_lone_returns = st.lists(st.sampled_from([*NASTY, b"\r", b"\r\r\n"]), max_size=40).map(b"".join)
chunk_sizes = st.integers(1, 70)
thorough = settings(max_examples=200, deadline=None)


def is_blank(text: str) -> bool:
    """What `decoding` takes for a blank line, where a line is a record."""
    return re.search(r"[^ \t\n\f\r]", text) is None


def marked(data: bytes) -> str:
    """The text of bytes, its invalid bytes and its marks marked: another way to what reading does."""
    text = data.decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff\ufdd0-\ufdd4]", lambda match: mark_bytes(match[0]), text)


def mark_bytes(character: str) -> str:
    return "".join(f"{INVALID_BYTE_MARK}{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def unmarked(text: str) -> bytes:
    """The bytes that a text with marks was read from."""
    parts = re.split(f"{INVALID_BYTE_MARK}([0-9A-F]{{2}})", text)
    return b"".join(bytes.fromhex(part) if i % 2 else part.encode() for i, part in enumerate(parts))


def physical_lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def without_line_ending(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def without_boms(text: str) -> str:
    """Without the byte order marks that start the file or a line."""
    return re.sub("(?m)^\ufeff+", "", text)


def height(lines: list[str], separator: str, width: int) -> int:
    """How many of the lines the first record has, whose quotes are told one by one; 0: its quote was never meant."""
    at_start, quoted, in_first_column = True, False, False
    for number, line in enumerate(lines):
        begins_in_quotes = quoted
        before_closing: str | None = None
        separators = 0
        i = 0
        while i < len(line):
            if quoted and line[i : i + 2] == '""':
                i += 1
            elif quoted and line[i] == '"':
                if number and before_closing is None:
                    if begins_in_quotes and line[i + 1 : i + 2] not in (separator, "\n", "\r", ""):
                        return 0
                    before_closing = line[:i]
                quoted = at_start = False
            elif not quoted and at_start and line[i] == '"':
                quoted, in_first_column_now = True, number == 0 and i == 0
            elif not quoted:
                at_start = line[i] == separator
            separators += line[i] == separator and (not quoted or begins_in_quotes and before_closing is None)
            i += 1
        is_record = begins_in_quotes and width > 1 and separators + 1 == width
        if is_record and (before_closing is None or not in_first_column or separator in before_closing):
            return 0
        if not quoted:
            return number + 1
        in_first_column = in_first_column_now if number == 0 else in_first_column and before_closing is None
    return 0


def expected_records(text: str, separator: str, width: int) -> list[Record]:
    """The records of a text by the rule of the contract, each looked for on its own in all that follows."""
    lines = physical_lines(text)
    records: list[Record] = []
    start = 0
    while start < len(lines):
        count = height(lines[start:], separator, width)
        taken = lines[start : start + max(count, 1)]
        raw = without_line_ending("".join(taken))
        if not is_blank(raw):
            fields = next(csv.reader(taken, delimiter=separator)) if count else None
            records.append((start + 1, raw, fields))
        start += len(taken)
    return records


def lines_of(chunks: Iterator[Chunk]) -> Iterator[tuple[int, str]]:
    for chunk in chunks:
        assert not chunk.split_into_fields
        yield from enumerate(chunk.text.removesuffix("\n").split("\n"), chunk.first_line)


def records_of(chunks: Iterator[Chunk], delimiter: str) -> Iterator[Record]:
    """The records of chunks, taken apart as `decoding` does it."""
    for chunk in chunks:
        if not chunk.split_into_fields:
            for number, line in lines_of(iter([chunk])):
                line, _, _ = line.partition(BYTES_MARK)
                if not is_blank(line):
                    yield number, line, line.split(delimiter)
            continue
        for record in chunk.text.split(RECORD_MARK):
            first_line, raw, *fields = record.split(FIELD_MARK)
            yield int(first_line), raw.partition(BYTES_MARK)[0], fields or None


def csv_of(data: bytes, chunk_bytes: int = LIMITS.chunk_bytes) -> tuple[CsvHeader, list[Record]]:
    header, chunks = read_csv(io.BytesIO(data), compressed=False, limits=Limits(chunk_bytes=chunk_bytes))
    return header, list(records_of(chunks, header.delimiter))


def text_of(data: bytes, *, compressed: bool = False, chunk_bytes: int = 10) -> bytes:
    """The bytes that read_lines makes its text of."""
    chunks = read_lines(io.BytesIO(data), compressed=compressed, limits=Limits(chunk_bytes=chunk_bytes))
    return unmarked("".join(chunk.text for chunk in chunks))
