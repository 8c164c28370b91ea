"""Reads a text file as lines: encodings, BOMs and line endings (contract 2)."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass

# A line of nothing else is blank. Any other white space alone on a line is a record, if a malformed one.
BLANK = " \t\n\f\r"
BOM = "\ufeff"


@dataclass(frozen=True)
class Line:
    """A physical line with its line ending, and whether its bytes were text."""

    text: str
    is_text: bool

    @property
    def without_bom(self) -> Line:
        """The line as the start of a record: a BOM there, or several, is no part of it."""
        return Line(self.text.lstrip(BOM), self.is_text)

    @property
    def is_blank(self) -> bool:
        return not self.text.lstrip(BOM).strip(BLANK)


def hex_escaped(error: UnicodeError) -> tuple[str, int]:
    """Decoding error handler that shows each undecodable byte as its hexadecimal escape."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"\\x{byte:02X}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("hex_escaped", hex_escaped)


def physical_lines(data: bytes, encoding: str | None) -> list[Line]:
    """The lines of a text file: UTF-16 where its BOM says so, else UTF-8, else the encoding of the setting."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
        return [Line(line, True) for line in io.StringIO(text, newline="\n").readlines()]
    return [decoded(line, encoding) for line in io.BytesIO(data).readlines()]


def decoded(line: bytes, encoding: str | None) -> Line:
    """The line in the first encoding that can read it; its bytes escaped where none can."""
    for codec in ("utf-8", encoding):
        try:
            return Line(line.decode(codec or "utf-8"), True)
        except UnicodeDecodeError:
            pass
    return Line(line.decode(errors="hex_escaped"), False)


def without_line_ending(text: str) -> str:
    """The text without the line feed, or carriage return and line feed, that ends it."""
    return text.removesuffix("\n").removesuffix("\r")
