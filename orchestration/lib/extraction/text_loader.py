"""Loads text files and spreadsheets into a batch.

Chunks of small files that are decoded alike share a statement and a Parquet file. Each chunk of a large file gets a
Parquet file of its own, so that all of them can be removed if the file turns out to be broken. Workers write while the
next chunk is read.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

from orchestration.lib.extraction import decoding
from orchestration.lib.extraction.checksums import HashingStream
from orchestration.lib.extraction.chunks import Chunk, read_lines
from orchestration.lib.extraction.csv_reading import read_csv
from orchestration.lib.extraction.encodings import CHUNK_MARK
from orchestration.lib.extraction.header_names import is_known_in
from orchestration.lib.extraction.limits import Limits
from orchestration.lib.extraction.parts import NewFile, Outcome, Parts
from orchestration.lib.extraction.sheets import read_sheet
from orchestration.lib.extraction.spelling import column_name
from orchestration.lib.landing.file_types import NotReadable
from orchestration.lib.landing.kinds import Kind
from orchestration.lib.landing.listing import Landing

Decoder = Callable[[Kind, str], str]

# Spreadsheet programs take 31 characters for the name of a sheet.
_LONGEST_NAME = 31
_MOST_NAMES = 5


@dataclass(frozen=True)
class _FileChunk:
    """A chunk of a file, with what `decoding` needs to know of the file."""

    new: NewFile
    chunk: Chunk
    delimiter: str = ""
    positions: tuple[int, ...] = ()

    @property
    def description(self) -> dict[str, object]:
        return {
            **self.new.description,
            "first_line": self.chunk.first_line,
            "delimiter": self.delimiter,
            "positions": self.positions,
        }

    @property
    def decoder(self) -> Decoder:
        if self.new.file.format == "jsonl":
            return decoding.decode_json_lines
        return decoding.decode_csv_fields if self.chunk.split_into_fields else decoding.decode_csv_lines


class TextLoader:
    """Loads one file after the other, then `finish` writes what is left. Uses the workers of `parts`."""

    def __init__(self, landing: Landing, parts: Parts, outcome: Outcome, encoding: str | None, limits: Limits) -> None:
        self._landing = landing
        self._parts = parts
        self._outcome = outcome
        self._encoding = encoding
        self._limits = limits
        self._not_text = decoding.not_text(encoding)
        self._unread_sheets: dict[int, list[str]] = {}  # by file_id
        self._being_written: set[Future[None]] = set()
        # Chunks of small files, by kind and decoder, until they are worth a statement.
        self._small: dict[tuple[Kind, Decoder], list[_FileChunk]] = {}
        self._small_sizes: Counter[tuple[Kind, Decoder]] = Counter()

    def load(self, new: NewFile) -> None:
        """Load a file that can be read to its end; refuse another."""
        try:
            has_invalid_bytes = self._read(new)
        except (NotReadable, OSError) as error:
            self._outcome.refuse(new, error)
            return
        self._outcome.accept(new)
        if unread := self._unread_sheets.pop(new.file_id, None):
            self._outcome.warnings.append(
                f"{new.file.path} has more sheets with records, which are not read: {_listed(unread)}. "
                "Save each as a file of its own"
            )
        if has_invalid_bytes:
            also = f" and not {self._encoding}" if self._encoding else ""
            self._outcome.warnings.append(
                f"{new.file.path} has records that are not UTF-8{also}; they are rejected. Land it again as UTF-8, "
                "or set CONTACT_REPORTS_ENCODING to the encoding it is in, such as cp1252, and run again"
            )

    def finish(self) -> None:
        """Write the chunks that are left, and wait until all are written."""
        for chunks in self._small.values():
            self._submit(chunks)
        self._wait(at_most=0)

    def _read(self, new: NewFile) -> bool:
        """Read a file and hand its chunks on. Returns whether a record is not text."""
        with self._landing.open(new.file) as stream:
            hashed = HashingStream(stream)
            buffered = BufferedReader(hashed, 1 << 16)
            new.check_type(buffered.peek())
            chunks = self._chunks(new, cast(BinaryIO, buffered))
            first = list(islice(chunks, 2))
            if len(first) == 2:
                return self._write_large(new, chain(first, chunks), hashed)
            new.check_unchanged(hashed.checksum())
        for chunk in first:
            self._add_small(chunk)
        return any(chunk.chunk.has_invalid_bytes for chunk in first)

    def _chunks(self, new: NewFile, stream: BinaryIO) -> Iterator[_FileChunk]:
        file = new.file
        if file.format == "jsonl":
            for chunk in read_lines(stream, compressed=file.compressed, encoding=self._encoding, limits=self._limits):
                yield _FileChunk(new, chunk)
            return
        if file.format == "xlsx":
            sheet = read_sheet(stream, file.kind, self._limits)
            header, chunks = sheet.header, sheet.chunks
            self._unread_sheets[new.file_id] = sheet.unread
        else:
            header, chunks = read_csv(
                stream,
                compressed=file.compressed,
                encoding=self._encoding,
                is_known=is_known_in(file.kind),
                limits=self._limits,
            )
        if file.kind.is_export:
            self._outcome.headers[new.file_id] = header
        names = [column_name(name) for name in header.names]
        # A column that the file has twice is taken from its first place.
        positions = (names.index(name) + 1 if name in names else 0 for name in file.kind.columns.values())
        described = (*positions, len(names))
        for chunk in chunks:
            yield _FileChunk(new, chunk, header.delimiter, described)

    def _write_large(self, new: NewFile, chunks: Iterable[_FileChunk], hashed: HashingStream) -> bool:
        """Write a file of several chunks as parts of its own, and remove them if it turns out to be broken."""
        has_invalid_bytes = False
        parts = []
        try:
            for chunk in chunks:
                has_invalid_bytes |= chunk.chunk.has_invalid_bytes
                parts.append(self._submit([chunk]))
            new.check_unchanged(hashed.checksum())
        except (NotReadable, OSError):
            self._wait(at_most=0)
            for part in parts:
                part.unlink()
            raise
        return has_invalid_bytes

    def _add_small(self, chunk: _FileChunk) -> None:
        alike = chunk.new.file.kind, chunk.decoder
        self._small.setdefault(alike, []).append(chunk)
        self._small_sizes[alike] += len(chunk.chunk.text)
        if self._small_sizes[alike] >= self._limits.chunk_bytes:
            self._submit(self._small.pop(alike))
            del self._small_sizes[alike]

    def _submit(self, chunks: list[_FileChunk]) -> Path:
        """Have a worker write the records of chunks that are decoded alike. Returns the path of the part."""
        part = self._parts.next_part(chunks[0].new.file.kind)
        self._wait(at_most=(os.cpu_count() or 1) - 1)
        self._being_written.add(self._parts.workers.submit(self._write, chunks, part))
        return part

    def _write(self, chunks: list[_FileChunk], part: Path) -> None:
        first = chunks[0]
        self._parts.write(
            part,
            first.decoder(first.new.file.kind, self._not_text),
            json.dumps([chunk.description for chunk in chunks]),
            CHUNK_MARK.join(chunk.chunk.text for chunk in chunks),
        )

    def _wait(self, at_most: int) -> None:
        """Wait until at most this many parts are being written. Raises the error of one that failed."""
        while len(self._being_written) > at_most:
            done, self._being_written = wait(self._being_written, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()


def _listed(sheets: list[str]) -> str:
    """The first names of sheets. A file may have any number, and give them names of any length."""
    shown = [sheet if len(sheet) <= _LONGEST_NAME else f"{sheet[:_LONGEST_NAME]}…" for sheet in sheets[:_MOST_NAMES]]
    return ", ".join(map(repr, shown)) + (f" and {len(sheets) - len(shown)} more" if len(sheets) > len(shown) else "")
