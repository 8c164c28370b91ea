"""Chunks: the text of whole records of one file. Reads files with one record a line.

Python finds the ends of records and keeps their bytes. DuckDB makes columns of a whole chunk in one statement.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from orchestration.lib.extraction.encodings import (
    BOM,
    BYTES_MARK,
    FIELD_MARK,
    INVALID_BYTE_MARK,
    RECORD_MARK,
    blocks_of_text,
    lines_in_encoding,
    without_boms,
)
from orchestration.lib.extraction.limits import LIMITS, Limits

# A line of only these is no record. The same as \s in DuckDB's regular expressions.
BLANK = " \t\n\f\r"

_BOMS = re.compile(f"^{BOM}+", re.MULTILINE)


@dataclass(frozen=True)
class Chunk:
    """Whole records of one file.

    By default `text` has one record a line, from physical line `first_line` on. With `split_into_fields`, `text` has
    records separated by RECORD_MARK. Each consists of the physical line it starts on, its text as landed, and its
    fields (none when it cannot be split), separated by FIELD_MARK.
    """

    text: str
    first_line: int = 1
    split_into_fields: bool = False

    @property
    def has_invalid_bytes(self) -> bool:
        """Whether a record is neither UTF-8 nor in the encoding that files may be in instead."""
        if INVALID_BYTE_MARK not in self.text:
            return False
        mark, end = (FIELD_MARK, RECORD_MARK) if self.split_into_fields else ("", "\n")
        # What follows BYTES_MARK are the bytes of a record that could be read.
        readable = re.compile(f"{BYTES_MARK}[^{mark}{end}]*")
        return INVALID_BYTE_MARK in readable.sub("", self.text)


def read_lines(
    stream: BinaryIO, *, compressed: bool, encoding: str | None = None, limits: Limits = LIMITS
) -> Iterator[Chunk]:
    """The records of a file with one record a line. Raises NotReadable when it cannot be read to its end.

    Lines that are not UTF-8 are read in `encoding`; without one their bytes are marked.
    """
    line = 1
    for text in blocks_of_text(stream, compressed=compressed, limits=limits):
        lines_only = without_boms(text, _BOMS).replace("\r\n", "\n")
        yield from chunks_of_lines(lines_in_encoding(lines_only, encoding), line, limits)
        line += text.count("\n")


def chunks_of_lines(text: str, first_line: int, limits: Limits, separator: str = "") -> Iterator[Chunk]:
    """Lines as chunks of at most as many values as the limit. Blank chunks are left out."""
    if not text.lstrip(BLANK):
        return
    lines = text.count("\n")
    values = lines + (text.count(separator) if separator else 0)
    half = text.rfind("\n", 0, len(text) // 2) + 1 or text.find("\n", len(text) // 2) + 1
    if values <= limits.most_values or not 0 < half < len(text):
        yield Chunk(text, first_line)
        return
    yield from chunks_of_lines(text[:half], first_line, limits, separator)
    yield from chunks_of_lines(text[half:], first_line + text.count("\n", 0, half), limits, separator)
