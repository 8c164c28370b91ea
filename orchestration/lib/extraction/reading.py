"""Reads text files in chunks that end where a record ends: JSONL by line, CSV by its quoting rules.

Python finds the ends of records and keeps the bytes; DuckDB takes a whole chunk at once and makes columns of it.

A quoted field of CSV may contain line breaks. Its opening quote is a mistake, and only the line that it stands on is
malformed, where one of these holds:

- The file ends, or the record becomes longer than the longest record, before the quote is closed.
- The quote that closes it is followed by something else than a separator or the end of the line: it opened a field.
- A line that begins inside the quotes has as many separators as the header; those inside later quotes do not count. The
  line that ends a field of the first column has so by nature, and is no such line unless a separator stands before the
  closing quote. With a header of one column every text would be such a line, so none is.
"""

import codecs
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

from orchestration.lib.landing.file_types import NotReadable

# Large enough that DuckDB's fixed cost per statement (a few ms) vanishes, small enough that two workers with a few
# copies of a chunk each stay far below 1 GB.
CHUNK_BYTES = 32 << 20
LONGEST_RECORD_BYTES = 64 << 20
# The header of an export is kept with each of its records.
LONGEST_HEADER = 64 << 10
MOST_COLUMNS = 2000
# Lines, or fields, of a chunk: each costs DuckDB 16 bytes and more, even where the text has one byte for it.
_MOST_VALUES = 4 << 20
# What a line of text costs Python beside its characters.
_LINE_BYTES = 64
_SMALL_BYTES = 1 << 16

# Unicode guarantees that these are never text, so they can mark things in it. A record that contains them all the
# same is treated like one that is not UTF-8.
INVALID_BYTE_MARK = "\ufdd0"  # followed by the byte's two hex digits
FIELD_MARK = "\ufdd1"
RECORD_MARK = "\ufdd2"
CHUNK_MARK = "\ufdd3"
# Stands between a record as it was read in another encoding and the same with its invalid bytes marked.
BYTES_MARK = "\ufdd4"
_MARKS = re.compile("[\ufdd0-\ufdd4]")
# Invalid bytes as Python decodes them, and the marks.
_TO_MARK = re.compile("[\udc80-\udcff\ufdd0-\ufdd4]+")
_MARKED = {
    code: "".join(f"{INVALID_BYTE_MARK}{byte:02X}" for byte in chr(code).encode("utf-8", "surrogateescape"))
    for code in (*range(0xDC80, 0xDD00), *range(0xFDD0, 0xFDD5))
}
_MARK_PREFIX = b"\xef\xb7"
_MARKED_BYTE = re.compile(f"{INVALID_BYTE_MARK}([0-9A-F]{{2}})")

# Byte order marks stand at the start of a file, and where files were joined.
_BOM = "\ufeff"
_BOMS = re.compile(f"^{_BOM}+", re.MULTILINE)
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

# The first line of a spreadsheet's CSV may say what separates the fields.
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[ ]*\r?\n?', re.IGNORECASE)
_SEPARATORS = (",", ";", "\t")
# From inside a quoted field up to the quote that closes it.
_CLOSING = re.compile(r'[^"]*+(?:""[^"]*+)*+"')

# A line of nothing else is no record. The same as \s in DuckDB's regular expressions.
_BLANK = " \t\n\f\r"

# A CSV field may be as long as a record; the csv module's own limit is 128 KiB.
csv.field_size_limit(LONGEST_RECORD_BYTES)


@dataclass(frozen=True)
class Chunk:
    """Whole records of one file.

    Without `split_into_fields`, `text` is one record a line, from physical line `first_line` on. With it, `text` is
    records separated by RECORD_MARK, each of them the physical line it starts on, its text as landed, and its fields
    (none when it cannot be split), separated by FIELD_MARK.
    """

    text: str
    first_line: int = 1
    split_into_fields: bool = False

    @property
    def has_invalid_bytes(self) -> bool:
        """Whether there is a record that is neither UTF-8 nor in the encoding that files may be in instead."""
        if INVALID_BYTE_MARK not in self.text:
            return False
        mark, end = (FIELD_MARK, RECORD_MARK) if self.split_into_fields else ("", "\n")
        # Behind the bytes mark, bytes are marked of a record that could be read.
        readable = re.compile(f"{BYTES_MARK}[^{mark}{end}]*")
        return INVALID_BYTE_MARK in readable.sub("", self.text)


@dataclass(frozen=True)
class CsvHeader:
    """The first record of a CSV file: the names of its fields in order, and what separates them."""

    names: tuple[str, ...]
    delimiter: str


class HashingStream(io.RawIOBase):
    """A file being read, and the SHA-256 of all its bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._hash.update(buffer[:count])
        return cast(int, count)

    def checksum(self) -> str:
        """Read what is left, then give the SHA-256 of the whole file as hex."""
        while block := self._stream.read(1 << 18):
            self._hash.update(block)
        return self._hash.hexdigest()


def checksum(stream: BinaryIO) -> str:
    """SHA-256 of a file's bytes, as hex."""
    return HashingStream(stream).checksum()


def read_lines(
    stream: BinaryIO, *, compressed: bool, encoding: str | None = None, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """The records of a file that has one a line. Raises NotReadable when it cannot be read to its end.

    `encoding` is how lines that are not UTF-8 are read; without it their bytes are marked.
    """
    line = 1
    for text in _blocks(stream, compressed, chunk_bytes):
        lines_only = _without_boms(text, _BOMS).replace("\r\n", "\n")
        yield from _pieces(_lines_in(encoding, lines_only), line)
        line += text.count("\n")


def read_csv(
    stream: BinaryIO,
    *,
    compressed: bool,
    encoding: str | None = None,
    is_known: Callable[[str], bool] = lambda name: False,
    chunk_bytes: int = CHUNK_BYTES,
) -> tuple[CsvHeader, Iterator[Chunk]]:
    """The header and the records of a CSV file. Raises NotReadable when it cannot be read to its end.

    `is_known` says of a name in a header, as it is written, whether it is one that such a file has: of comma, semicolon
    and tab, the one that yields most of them separates the fields. `encoding` is as in `read_lines`.

    Up to the first quote the chunks are plain lines, which DuckDB splits; from there on the csv module does, at a third
    of the speed.
    """
    lines = _Lines(_blocks(stream, compressed, chunk_bytes))
    separators: tuple[str, ...] = _SEPARATORS
    for line in lines:
        line = line.lstrip(_BOM)
        if not line.strip(_BLANK):
            continue
        if separators is _SEPARATORS and (said := _SEPARATOR_LINE.fullmatch(line)):
            separators = (said[1],)
            continue
        lines.put_back([line])
        header = _header(lines, separators, is_known, encoding)
        return header, _csv_chunks(lines, header, encoding, chunk_bytes)
    return CsvHeader((), ","), iter(())


def records_of(chunk: Chunk, delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """The records of a chunk of CSV as DuckDB splits them: line, text, and fields, none where it cannot be split."""
    if chunk.split_into_fields:
        for record in chunk.text.split(RECORD_MARK):
            line, raw, *fields = record.split(FIELD_MARK)
            yield int(line), raw.split(BYTES_MARK)[0], fields
        return
    for number, record in enumerate(chunk.text.split("\n"), chunk.first_line):
        raw = record.split(BYTES_MARK)[0]
        if raw.strip(_BLANK):
            yield number, raw, raw.split(delimiter)


def _header(
    lines: "_Lines", separators: tuple[str, ...], is_known: Callable[[str], bool], encoding: str | None
) -> CsvHeader:
    """Read the header, with the separator that yields the most known names; then the most names."""
    headers = []
    for separator in separators:
        names = _header_names(lines, separator, encoding)
        # A quote within a name shows that the separator within the quotes is none.
        quotes = sum('"' in name for name in names)
        headers.append((sum(map(is_known, set(names))), -quotes, len(names), CsvHeader(names, separator)))
        lines.put_back(list(lines.taken))
    *_, header = max(headers, key=lambda found: found[:3])
    _header_names(lines, header.delimiter, encoding)
    if not header.names:
        raise NotReadable("has a first line that cannot be split into names: lines end with \\n or \\r\\n")
    if len(header.names) > MOST_COLUMNS:
        raise NotReadable(f"has {len(header.names):,} columns, and at most {MOST_COLUMNS:,} are read", "leave some out")
    lines.skip_joined(lines.taken)
    return header


def _header_names(lines: "_Lines", separator: str, encoding: str | None) -> tuple[str, ...]:
    """The names that a separator yields, none where it cannot be split. Quotes that were never meant are left out."""
    first = next(lines)
    if len(first) > LONGEST_HEADER:
        raise NotReadable(f"has a first line of more than {LONGEST_HEADER >> 10} KiB, which is no header")
    lines.put_back([first])
    lines.expect_records(separator, first.count(separator) + 1, LONGEST_HEADER, is_header=True)
    try:
        names = next(csv.reader(lines, delimiter=separator))
    except _StrayQuote:
        names = first.rstrip("\r\n").replace('"', "").split(separator)
    except csv.Error:
        return ()
    return tuple(_decoded(name, encoding) or name for name in names)


def _csv_chunks(lines: "_Lines", header: CsvHeader, encoding: str | None, chunk_bytes: int) -> Iterator[Chunk]:
    while text := lines.rest_of_block():
        lines_only = text.replace("\r\n", "\n")
        if '"' in lines_only or "\r" in lines_only:
            lines.put_back_block(text)
            break
        yield from _pieces(_lines_in(encoding, lines_only), lines.number + 1, header.delimiter)
        lines.number += text.count("\n")
    records: list[str] = []
    size = values = 0
    for first_line, raw, fields in _records(lines, header):
        size += len(raw)
        values += len(fields)
        raw = raw.removesuffix("\n").removesuffix("\r")
        if encoding and INVALID_BYTE_MARK in raw and (decoded := _decoded(raw, encoding)) is not None:
            raw = f"{decoded}{BYTES_MARK}{raw}"
            fields = [_decoded(field, encoding) or field for field in fields]
        records.append(FIELD_MARK.join((str(first_line), raw, *fields)))
        if size >= chunk_bytes or values + len(records) >= _MOST_VALUES:
            yield Chunk(RECORD_MARK.join(records), split_into_fields=True)
            records, size, values = [], 0, 0
    if records:
        yield Chunk(RECORD_MARK.join(records), split_into_fields=True)


def _records(lines: "_Lines", header: CsvHeader) -> Iterator[tuple[int, str, list[str]]]:
    """Each record that is not blank: the line it starts on, its text, its fields (none: it cannot be split)."""
    lines.expect_records(header.delimiter, len(header.names), LONGEST_RECORD_BYTES)
    reader = csv.reader(lines, delimiter=header.delimiter)
    while True:
        lines.taken.clear()
        first_line = lines.number + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (_StrayQuote, csv.Error):
            fields = []
        raw = "".join(lines.taken)
        if raw.strip(_BLANK):
            yield first_line, raw, fields


class _StrayQuote(Exception):
    """A quote opens a field that was not meant to be quoted."""


class _Lines:
    """The physical lines of a text that comes in blocks; knows the number of the last one, and what was taken."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._block = io.StringIO()
        self._ahead: deque[str] = deque()  # lines that were read already, and come next
        self._joins: re.Pattern[str] | None = None
        self._stray_before = 0.0  # the number of a line
        self._separator = ","
        self._width = 0
        self._longest = 0
        self._is_header = False
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        # The csv module asks for a second line of a record only inside a quoted field.
        if self._width and len(self.taken) == 1:
            self._expect_quote_to_close()
        line = self._ahead.popleft() if self._ahead else self._read()
        self.number += 1
        self.taken.append(line)
        return line

    def expect_records(self, separator: str, width: int, longest: int, *, is_header: bool = False) -> None:
        """From here on be what the csv module reads, when `taken` is cleared before each record.

        Raises _StrayQuote, with only its first line taken, where a record would go on behind a quote that was never
        meant: `width` is how many fields a record has, as far as the first line of a header tells, `longest` how many
        characters.
        """
        self._separator, self._width, self._longest, self._is_header = separator, width, longest, is_header
        self._stray_before = 0

    def _read(self) -> str:
        while not (line := self._block.readline()):
            self._block = io.StringIO(_without_boms(next(self._blocks), self._joins), newline="\n")
        return line

    def rest_of_block(self) -> str:
        """All lines of the block at hand, or of the next one; empty at the end. They do not count as taken."""
        text = "".join(self._ahead) + self._block.read() or next(self._blocks, "")
        self._ahead.clear()
        return _without_boms(text, self._joins)

    def put_back_block(self, text: str) -> None:
        """Give back what rest_of_block gave."""
        self._block = io.StringIO(text, newline="\n")

    def put_back(self, lines: list[str]) -> None:
        """Give back the lines that were taken last."""
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)
        self.taken.clear()

    def skip_joined(self, header: list[str]) -> None:
        """From here on leave out byte order marks where files were joined, and this header where it follows one."""
        line = re.escape("".join(header).removesuffix("\n").removesuffix("\r"))
        self._joins = re.compile(f"^{_BOM}+(?:{line}\r?$)?", re.MULTILINE)

    def _expect_quote_to_close(self) -> None:
        """Look ahead from a line that ends inside a quoted field. Raises _StrayQuote where its quote is a mistake."""
        # What follows from a line that begins inside a quoted field is the same whichever quote opened the field. So
        # no line is looked at twice, however many quotes are never closed.
        if self.number < self._stray_before or not self._closes(self.taken[0]):
            raise _StrayQuote

    def _closes(self, first: str) -> bool:
        separator = self._separator
        # A line that ends a field of a header has as many separators as its first line by chance.
        in_first_column = self._is_header or (first.startswith('"') and not _CLOSING.match(first, 1))
        size = len(first)
        for number, line in enumerate(chain(tuple(self._ahead), self._reading_ahead()), self.number + 1):
            self._stray_before = number
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
                    self._stray_before = 0
                    return True
        self._stray_before = float("inf")
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
    """How many separators stand outside quotes in a line from the end of a field on, and whether it ends in quotes."""
    separators = at = 0
    while (at := text.find(separator, at) + 1) > 0:
        separators += 1
        if text.startswith('"', at):
            if not (closing := _CLOSING.match(text, at + 1)):
                return separators, True
            at = closing.end()
    return separators, False


def _pieces(text: str, first_line: int, separator: str = "") -> Iterator[Chunk]:
    """Lines as chunks of not too many values, without such as are blank."""
    if not text.lstrip(_BLANK):
        return
    lines = text.count("\n")
    values = lines + (text.count(separator) if separator else 0)
    half = text.rfind("\n", 0, len(text) // 2) + 1 or text.find("\n", len(text) // 2) + 1
    if values <= _MOST_VALUES or not 0 < half < len(text):
        yield Chunk(text, first_line)
        return
    yield from _pieces(text[:half], first_line, separator)
    yield from _pieces(text[half:], first_line + text.count("\n", 0, half), separator)


def _without_boms(text: str, boms: re.Pattern[str] | None) -> str:
    return boms.sub("", text) if boms and _BOM in text else text


def _lines_in(encoding: str | None, text: str) -> str:
    """Lines, those with invalid bytes as they read in an encoding and then as they were."""
    if not encoding or INVALID_BYTE_MARK not in text:
        return text
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if INVALID_BYTE_MARK in line and (decoded := _decoded(line, encoding)) is not None:
            lines[i] = f"{decoded}{BYTES_MARK}{line}"
    return "\n".join(lines)


def _decoded(text: str, encoding: str | None) -> str | None:
    """The bytes of a text with marks, read in an encoding; None where they are no text in it."""
    if not encoding or INVALID_BYTE_MARK not in text:
        return text
    parts = _MARKED_BYTE.split(text)
    try:
        decoded = b"".join(bytes.fromhex(part) if i % 2 else part.encode() for i, part in enumerate(parts)).decode(
            encoding
        )
    except UnicodeError:
        return None
    return None if _MARKS.search(decoded) or "\n" in decoded and "\n" not in text else decoded


def _blocks(stream: BinaryIO, compressed: bool, chunk_bytes: int) -> Iterator[str]:
    """The text of a file in blocks that end with a line."""
    source = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if compressed else stream
    chunk_bytes = max(chunk_bytes, len(codecs.BOM_UTF16))
    decoder: codecs.IncrementalDecoder | None = None
    rest: bytes | None = None
    while True:
        try:
            block = _read(source, chunk_bytes)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise NotReadable(f"cannot be decompressed to its end ({error})") from None
        at_end = len(block) < chunk_bytes
        if rest is None:
            rest = b""
            if utf_16 := _UTF_16.get(block[:2]):
                decoder = codecs.getincrementaldecoder(utf_16)(errors="replace")
        if decoder:
            block = decoder.decode(block, at_end).encode()
        end = len(block) if at_end else block.rfind(b"\n") + 1
        data = rest + block[:end]
        if not end and not at_end:
            rest += block
            if len(rest) > LONGEST_RECORD_BYTES:
                raise NotReadable(f"has a line of more than {LONGEST_RECORD_BYTES >> 20} MiB")
            continue
        if data:
            yield _decode(data)
        if at_end:
            return
        rest = block[end:]


def _read(source: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    # Most files are small. For each call the system would have to find as much memory as is asked for.
    block = source.read(min(size, _SMALL_BYTES))
    return block + source.read(size - _SMALL_BYTES) if len(block) == _SMALL_BYTES < size else block


def _decode(data: bytes) -> str:
    """The text of UTF-8 bytes, with every byte that is none, or would be taken for a mark, marked."""
    if _MARK_PREFIX not in data:
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    # One by one only in runs of them: a line may be nothing else.
    return _TO_MARK.sub(lambda run: run[0].translate(_MARKED), data.decode("utf-8", "surrogateescape"))
