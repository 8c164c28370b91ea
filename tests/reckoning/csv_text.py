"""Splits the lines of a CSV file into rows, mistaken quotes and all (contract 2)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from tests.reckoning.text import Line, without_line_ending

SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class CsvRow:
    """A row, the number of its first line, and its values; None where they cannot be read."""

    number: int
    raw: str
    values: list[str] | None


class At(Enum):
    """Where in a row a reader is."""

    FIELD_START = "at the start of a field"
    UNQUOTED = "in a field without quotes"
    QUOTED = "in a quoted field"
    QUOTE = "after a quote in a quoted field"


def scan(text: str, separator: str, at: At) -> tuple[bool, bool]:
    """Whether a quoted field is open at the end of a line, and whether it was opened on this line."""
    if '"' not in text:
        return at is At.QUOTED, False
    opened_here = False
    for sign in text:
        if at is At.QUOTED:
            at = At.QUOTE if sign == '"' else At.QUOTED
        elif sign in "\r\n":
            break
        elif sign == separator:
            at = At.FIELD_START
        elif sign == '"' and at is not At.UNQUOTED:
            opened_here |= at is At.FIELD_START
            at = At.QUOTED
        else:
            at = At.UNQUOTED
    return at is At.QUOTED, opened_here


def split(lines: list[Line], separator: str) -> list[str] | None:
    """The values of the lines of one row; None where a carriage return alone stands between them."""
    try:
        return next(csv.reader((line.text for line in lines), delimiter=separator))
    except csv.Error:
        return None


def is_row(line: Line, separator: str, width: int) -> bool:
    """Whether a line alone is a record with so many fields."""
    line = line.without_bom
    is_open, _ = scan(line.text, separator, At.FIELD_START)
    values = None if is_open or line.is_blank else split([line], separator)
    return values is not None and len(values) == width


def read_row(lines: list[Line], start: int, separator: str, width: int | None) -> tuple[int, list[str] | None]:
    """The index after the last line of the row that starts at an index, and its values.

    A quote was a mistake where a line that is wholly inside the quoted field is itself a record, or where the file
    ends inside: then the row ends with the line of that quote, and has no values.
    """
    is_open, opened_at = False, start
    for index in range(start, len(lines)):
        at = At.QUOTED if is_open else At.FIELD_START
        line = lines[index] if is_open else lines[index].without_bom
        is_open, opened_here = scan(line.text, separator, at)
        if not is_open:
            return index + 1, split([lines[start].without_bom, *lines[start + 1 : index + 1]], separator)
        if opened_here:
            opened_at = index
        elif width is not None and is_row(line, separator, width):
            break
    return opened_at + 1, None


def rows_from(lines: list[Line], start: int, separator: str, width: int | None) -> Iterator[CsvRow]:
    """The rows from an index on, their values None where they are not text; blank lines are none."""
    while start < len(lines):
        if lines[start].is_blank:
            start += 1
            continue
        end, values = read_row(lines, start, separator, width)
        raw = "".join(line.text for line in (lines[start].without_bom, *lines[start + 1 : end]))
        is_text = all(line.is_text for line in lines[start:end])
        yield CsvRow(start + 1, without_line_ending(raw), values if is_text else None)
        start = end


def read_rows(lines: list[Line], is_known: Callable[[str], bool]) -> Iterator[CsvRow]:
    """The header and the rows of a CSV file, by the separator that gives the most known column names."""
    start = first_line(lines, 0)
    if start == len(lines):
        return
    said = re.fullmatch("sep=(.)", without_line_ending(lines[start].without_bom.text), re.IGNORECASE)
    if said:
        start = first_line(lines, start + 1)
        if start == len(lines):
            return

    def known_names(separator: str) -> int:
        _, names = read_row(lines, start, separator, None)
        return sum(map(is_known, names or []))

    separator = said[1] if said else max(SEPARATORS, key=known_names)
    end, names = read_row(lines, start, separator, None)
    raw = "".join(line.text for line in (lines[start].without_bom, *lines[start + 1 : end]))
    # A header is read even where it is not all text: what its known columns are called is.
    yield CsvRow(start + 1, without_line_ending(raw), names)
    yield from rows_from(lines, end, separator, len(names or []))


def first_line(lines: list[Line], start: int) -> int:
    """The index of the first line from an index on that is not blank; the number of lines where there is none."""
    return next((index for index in range(start, len(lines)) if not lines[index].is_blank), len(lines))
