"""The physical lines of a CSV file, as the csv module reads them; finds quotes that are opened by mistake.

A quoted field of CSV may contain line breaks. Its opening quote is a mistake, and only the line with that quote is
malformed, in any of these cases:

- The file ends, or the record becomes longer than the longest record, before the quote is closed.
- The quote that closes it is followed by something other than a separator or the end of the line, so it opens a field.
- A line that begins inside the quotes has as many separators as the header, not counting those inside later quotes.
  Excepted is the line that ends a field of the first column, which always has as many, unless a separator stands before
  the closing quote. With a header of one column this case does not apply, as every line would be one.
"""

import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain

from orchestration.lib.extraction.encodings import BOM, without_boms

# From inside a quoted field up to the quote that closes it.
_CLOSING = re.compile(r'[^"]*+(?:""[^"]*+)*+"')

# What a line of text costs Python besides its characters.
_LINE_BYTES = 64


class StrayQuote(Exception):
    """A quote opens a field by mistake."""


class Lines:
    """Iterates over the lines of a text that comes in blocks."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self.number = 0  # of the last line that was taken
        self.taken: list[str] = []  # the lines of the record that is being read
        self._blocks = blocks
        self._block = io.StringIO()
        self._ahead: deque[str] = deque()  # lines that were looked at already, and come next
        self._joins: re.Pattern[str] | None = None
        self._never_closed_before = 0.0  # a quoted field that goes on to a line before this one is never closed
        self._separator = ","
        self._width = 0
        self._longest = 0
        self._is_header = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        # The csv module asks for a second line of a record only inside a quoted field.
        if self._width and len(self.taken) == 1:
            self._check_quote()
        line = self._ahead.popleft() if self._ahead else self._read()
        self.number += 1
        self.taken.append(line)
        return line

    def expect_records(self, separator: str, width: int, longest: int, *, is_header: bool = False) -> None:
        """Check the quotes of records from here on. The caller clears `taken` before each record.

        `width` is the number of fields of a record; of a header, what its first line suggests. `longest` is the number
        of characters that a record may have. Iteration raises StrayQuote, with only the first line of the record taken,
        where the record would go on after a quote that was opened by mistake.
        """
        self._separator, self._width, self._longest, self._is_header = separator, width, longest, is_header
        self._never_closed_before = 0

    def _read(self) -> str:
        while not (line := self._block.readline()):
            self._block = io.StringIO(without_boms(next(self._blocks), self._joins), newline="\n")
        return line

    def rest_of_block(self) -> str:
        """All lines left of the current block, or else the next block; empty at the end. They do not count as taken."""
        text = "".join(self._ahead) + self._block.read() or next(self._blocks, "")
        self._ahead.clear()
        return without_boms(text, self._joins)

    def put_back_block(self, text: str) -> None:
        """Put back what rest_of_block returned."""
        self._block = io.StringIO(text, newline="\n")

    def put_back(self, lines: list[str]) -> None:
        """Put back the lines that were taken last."""
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)
        self.taken.clear()

    def skip_joined(self, header: list[str]) -> None:
        """From here on leave out byte order marks where files were joined, and this header where it follows one."""
        line = re.escape("".join(header).removesuffix("\n").removesuffix("\r"))
        self._joins = re.compile(f"^{BOM}+(?:{line}\r?$)?", re.MULTILINE)

    def _check_quote(self) -> None:
        """Look ahead from a line that ends inside a quoted field. Raises StrayQuote where its quote is a mistake."""
        # What follows from a line that begins inside a quoted field is the same whichever quote opened the field. So
        # each line is looked at once, however many quotes are never closed.
        if self.number < self._never_closed_before or not self._closes(self.taken[0]):
            raise StrayQuote

    def _closes(self, first: str) -> bool:
        separator = self._separator
        # A header's width is a guess by its first line: any line may end one of its fields.
        in_first_column = self._is_header or (first.startswith('"') and not _CLOSING.match(first, 1))
        size = len(first)
        for number, line in enumerate(chain(tuple(self._ahead), self._reading_ahead()), self.number + 1):
            self._never_closed_before = number
            size += len(line) + _LINE_BYTES
            if size > self._longest:
                return False
            closing = _CLOSING.match(line)
            before = closing[0] if closing else line
            after = line[len(before) :]
            if closing and after[:1] not in (separator, "\r", "\n", ""):
                return False
            separators_after, ends_in_quotes = _outside_quotes(after, separator)
            if self._width > 1 and before.count(separator) + separators_after == self._width - 1:
                ends_first_column = closing and in_first_column and separator not in before
                if not ends_first_column:
                    return False
            if closing:
                in_first_column = False
                if not ends_in_quotes:
                    self._never_closed_before = 0
                    return True
        self._never_closed_before = float("inf")
        return False

    def _reading_ahead(self) -> Iterator[str]:
        while True:
            try:
                line = self._read()
            except StopIteration:
                return
            self._ahead.append(line)
            yield line


def _outside_quotes(text: str, separator: str) -> tuple[int, bool]:
    """How many separators are outside quotes in a line from the end of a field on, and whether it ends in quotes."""
    separators = at = 0
    while (at := text.find(separator, at) + 1) > 0:
        separators += 1
        if text.startswith('"', at):
            if not (closing := _CLOSING.match(text, at + 1)):
                return separators, True
            at = closing.end()
    return separators, False
