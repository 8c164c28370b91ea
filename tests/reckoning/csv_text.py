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


def scan(text: str, separator: str, at: At) -> tuple[bool, int, int]:
    """Reads a line on from a place in a row.

    Gives whether a quoted field is open at the line's end, how many separators stand outside of quotes, and where the
    first quoted field that ends on the line does: the index after its quote, -1 where none ends.
    """
    separators, end_of_quotes = 0, -1
    for index, sign in enumerate(text):
        if at is At.QUOTED:
            at = At.QUOTE if sign == '"' else At.QUOTED
            continue
        if at is At.QUOTE and sign != '"' and end_of_quotes < 0:
            end_of_quotes = index
        if sign in "\r\n":
            break
        if sign == separator:
            separators += 1
            at = At.FIELD_START
        elif sign == '"' and at is not At.UNQUOTED:
            at = At.QUOTED
        else:
            at = At.UNQUOTED
    if at is At.QUOTE and end_of_quotes < 0:
        end_of_quotes = len(text)
    return at is At.QUOTED, separators, end_of_quotes


def split(lines: list[Line], separator: str) -> list[str] | None:
    """The values of the lines of one row; None where a carriage return alone stands between them."""
    try:
        return next(csv.reader((line.text for line in lines), delimiter=separator))
    except csv.Error:
        return None


def is_mistaken(line: str, separator: str, width: int | None, *, first_column: bool) -> bool:
    """Whether a line that begins inside a quoted field shows that the quote which opened it was never meant.

    It does where the closing quote is followed by more text, and where the line has as many separators as the header.
    The end of a field in the first column has that by nature, unless a separator stands before its closing quote.
    """
    _, separators, end = scan(line, separator, At.QUOTED)
    inside = line if end < 0 else line[:end]
    if end >= 0 and line[end : end + 1] not in ("", separator, "\r", "\n"):
        return True
    if width is None or width == 1 or inside.count(separator) + separators != width - 1:
        return False
    return not (end >= 0 and first_column and separator not in inside)


def read_row(lines: list[Line], start: int, separator: str, width: int | None) -> tuple[int, list[str] | None]:
    """The index after the last line of the row that starts at an index, and its values.

    Where a quote was a mistake, or the file ends inside it, the row ends with its first line, and has no values.
    """
    first = lines[start].without_bom
    is_open, separators, _ = scan(first.text, separator, At.FIELD_START)
    first_column = separators == 0
    index = start
    while is_open:
        index += 1
        if index == len(lines) or is_mistaken(lines[index].text, separator, width, first_column=first_column):
            return start + 1, None
        is_open, _, end = scan(lines[index].text, separator, At.QUOTED)
        first_column &= end < 0
    return index + 1, split([first, *lines[start + 1 : index + 1]], separator)


def rows_from(lines: list[Line], start: int, separator: str, width: int | None, header: str) -> Iterator[CsvRow]:
    """The rows from an index on, their values None where they are not text.

    Blank lines are none, nor is the header where files were joined: behind a byte order mark.
    """
    while start < len(lines):
        is_joined = lines[start].text != lines[start].without_bom.text
        if lines[start].is_blank or (is_joined and without_line_ending(lines[start].without_bom.text) == header):
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

    def fitness(separator: str) -> tuple[int, int, int]:
        """The most known names; then the fewest with a quote inside; then the most names."""
        _, names = read_row(lines, start, separator, None)
        names = names or []
        return sum(map(is_known, set(names))), -sum('"' in name for name in names), len(names)

    separator = said[1] if said else max(SEPARATORS, key=fitness)
    end, names = read_row(lines, start, separator, None)
    raw = "".join(line.text for line in (lines[start].without_bom, *lines[start + 1 : end]))
    # A header is read even where it is not all text: what its known columns are called is.
    yield CsvRow(start + 1, without_line_ending(raw), names)
    yield from rows_from(lines, end, separator, len(names or []), without_line_ending(raw))


def first_line(lines: list[Line], start: int) -> int:
    """The index of the first line from an index on that is not blank; the number of lines where there is none."""
    return next((index for index in range(start, len(lines)) if not lines[index].is_blank), len(lines))
