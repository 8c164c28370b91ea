"""Reads text files in chunks that end where a record ends: JSONL by line, CSV by its quoting rules.

Python finds the ends of records and keeps the bytes; DuckDB takes a whole chunk at once and makes columns of it.
"""

import codecs
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

# Large enough that DuckDB's fixed cost per statement (a few ms) vanishes, small enough that two workers with a few
# copies of a chunk each stay far below 1 GB.
CHUNK_BYTES = 32 << 20
LONGEST_RECORD_BYTES = 256 << 20
_SMALL_BYTES = 1 << 16

# Unicode guarantees that these are never text, so they can mark things in it. A record that contains them all the
# same is treated like one that is not UTF-8.
INVALID_BYTE_MARK = "\ufdd0"  # followed by the byte's two hex digits
FIELD_MARK = "\ufdd1"
RECORD_MARK = "\ufdd2"
CHUNK_MARK = "\ufdd3"
_MARK_BYTES = re.compile(rb"(\xef\xb7[\x90-\x93])")
_MARK_PREFIX = b"\xef\xb7"

# A line of nothing else is no record. The same as \s in DuckDB's regular expressions.
_BLANK = " \t\n\f\r"

# A CSV field may be as long as a record; the csv module's own limit is 128 KiB.
csv.field_size_limit(LONGEST_RECORD_BYTES)


class NotReadable(Exception):
    """A file that cannot be read to its end. The text completes the sentence "<file> …"."""


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


def read_lines(stream: BinaryIO, *, compressed: bool, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The records of a file that has one a line. Raises NotReadable when it cannot be read to its end."""
    line = 1
    for text in _blocks(stream, compressed, chunk_bytes):
        yield Chunk(text.replace("\r\n", "\n"), line)
        line += text.count("\n")


def read_csv(
    stream: BinaryIO, *, compressed: bool, chunk_bytes: int = CHUNK_BYTES
) -> tuple[CsvHeader, Iterator[Chunk]]:
    """The header and the records of a CSV file. Raises NotReadable when it cannot be read to its end.

    Quoting is the csv module's: a quote opens a field only where the field starts. Up to the first quote the chunks
    are plain lines, which DuckDB splits; from there on the csv module does, at a third of the speed.
    """
    lines = _Lines(_blocks(stream, compressed, chunk_bytes))
    for line in lines:
        if line.strip(_BLANK):
            delimiter = ";" if ";" in line and "," not in line else ","
            lines.put_back(line)
            _, _, names = next(_records(lines, delimiter))
            if names is None:
                raise NotReadable("has a first line that cannot be split into names: lines end with \\n or \\r\\n")
            header = CsvHeader(tuple(names), delimiter)
            return header, _csv_chunks(lines, header.delimiter, chunk_bytes)
    return CsvHeader((), ","), iter(())


def _csv_chunks(lines: "_Lines", delimiter: str, chunk_bytes: int) -> Iterator[Chunk]:
    while text := lines.rest_of_block():
        lines_only = text.replace("\r\n", "\n")
        if '"' in lines_only or "\r" in lines_only:
            lines.put_back(text)
            break
        yield Chunk(lines_only, lines.number + 1)
        lines.number += text.count("\n")
    records: list[str] = []
    size = 0
    for first_line, raw, fields in _records(lines, delimiter):
        records.append(FIELD_MARK.join((str(first_line), raw.removesuffix("\n").removesuffix("\r"), *(fields or ()))))
        size += len(raw)
        if size >= chunk_bytes:
            yield Chunk(RECORD_MARK.join(records), split_into_fields=True)
            records, size = [], 0
    if records:
        yield Chunk(RECORD_MARK.join(records), split_into_fields=True)


def _records(lines: "_Lines", delimiter: str) -> Iterator[tuple[int, str, list[str] | None]]:
    """Each record that is not blank: the line it starts on, its text, its fields (None: it cannot be split)."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.taken.clear()
        first_line = lines.number + 1
        fields: list[str] | None
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fields = None
        raw = "".join(lines.taken)
        if raw.strip(_BLANK):
            yield first_line, raw, fields


class _Lines:
    """The physical lines of a text that comes in blocks; knows the number of the last one, and what was taken."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._block = io.StringIO()
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not (line := self._block.readline()):
            self._block = io.StringIO(next(self._blocks), newline="\n")
        self.number += 1
        self.taken.append(line)
        return line

    def rest_of_block(self) -> str:
        """All lines of the block at hand, or of the next one; empty at the end. They do not count as taken."""
        return self._block.read() or next(self._blocks, "")

    def put_back(self, text: str) -> None:
        """Give back what was just taken with next (a line) or rest_of_block."""
        if self.taken and self.taken[-1] is text:
            self.number -= 1
        self._block = io.StringIO(text + self._block.read(), newline="\n")


def _blocks(stream: BinaryIO, compressed: bool, chunk_bytes: int) -> Iterator[str]:
    """The text of a file in blocks that end with a line, without a byte order mark."""
    source = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if compressed else stream
    rest = b""
    start_of_file = True
    while True:
        try:
            block = _read(source, chunk_bytes)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise NotReadable(f"cannot be decompressed to its end ({error})") from None
        at_end = len(block) < chunk_bytes
        end = len(block) if at_end else block.rfind(b"\n") + 1
        data = rest + block[:end]
        if not end and not at_end:
            rest += block
            if len(rest) > LONGEST_RECORD_BYTES:
                raise NotReadable(f"has a line of more than {LONGEST_RECORD_BYTES >> 20} MiB")
            continue
        if start_of_file:
            data = data.removeprefix(codecs.BOM_UTF8)
            start_of_file = False
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
    parts = _MARK_BYTES.split(data)
    return "".join(_marked(part) if i % 2 else part.decode("utf-8", "mark_invalid") for i, part in enumerate(parts))


def _marked(data: bytes) -> str:
    return "".join(f"{INVALID_BYTE_MARK}{byte:02X}" for byte in data)


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return _marked(error.object[error.start : error.end]), error.end


codecs.register_error("mark_invalid", _mark_invalid)
