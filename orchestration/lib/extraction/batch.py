"""Writes the records of new files as the Parquet files of one batch.

Small text files that are decoded alike share a statement and a Parquet file; a large one comes in chunks, each of them
a Parquet file, so that all of it can go if it turns out to be broken. Workers write while the next chunk is read.
Parquet files with the same columns share a statement too, which reads them with all CPUs.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

import duckdb

from orchestration.lib.extraction import decoding, decoding_parquet
from orchestration.lib.extraction.header_names import is_known_in
from orchestration.lib.extraction.parquet_footer import copy_with_texts_as_bytes
from orchestration.lib.extraction.reading import (
    CHUNK_BYTES,
    CHUNK_MARK,
    INVALID_BYTE_MARK,
    Chunk,
    CsvHeader,
    HashingStream,
    checksum,
    read_csv,
    read_lines,
)
from orchestration.lib.landing.file_types import HEAD_BYTES, NotReadable, check_type
from orchestration.lib.landing.listing import PARQUET_KINDS, Landing, LandingFile
from orchestration.lib.problems import first_line, says_disk_is_full
from orchestration.lib.progress import report
from orchestration.lib.raw_zone.zone import (
    PARQUET_OPTIONS,
    RECORD_TABLES,
    RecordTable,
    column_name,
    parquet_files,
    read_parquet,
    sql_text,
)

# At most so many Parquet files, or bytes of them, share a statement. Each is open meanwhile. Alone, small ones take
# 15 ms each (20,000 of 50 records together: 16 CPU-seconds), and large ones have too few row groups to keep two CPUs
# busy (60 of 585 MB: 8.5 s; 32 MB at a time 7.4, 64 to 512 about 6.2). When one is broken, those with it are read up
# to three times.
_PARQUET_FILES = 250
_PARQUET_BYTES = 128 << 20

# Where Linux has a name for each open file of a process.
_DESCRIPTORS = "/proc/self/fd"


@dataclass(frozen=True)
class NewFile:
    file: LandingFile
    sha256: str
    file_id: int


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
            "file_id": self.new.file_id,
            "workspace_folder": self.new.file.workspace_id,
            "source_file": self.new.file.path,
            "first_line": self.chunk.first_line,
            "delimiter": self.delimiter,
            "positions": self.positions,
        }

    @property
    def decoder(self) -> Callable[[RecordTable, str], str]:
        if self.new.file.format == "jsonl":
            return decoding.decode_json_lines
        return decoding.decode_csv_fields if self.chunk.split_into_fields else decoding.decode_csv_lines


@dataclass(frozen=True)
class _Found:
    """A Parquet file, and the path by which DuckDB reads it."""

    new: NewFile
    path: str

    @property
    def description(self) -> dict[str, object]:
        return {
            "file_id": self.new.file_id,
            "workspace_folder": self.new.file.workspace_id,
            "source_file": self.new.file.path,
            "path": self.path,
        }


# The kind of a file and how it is decoded.
_Alike = tuple[str, Callable[[RecordTable, str], str]]


class Batch:
    """Writes the Parquet files of one batch into a folder; knows then what was loaded, and what could not be."""

    def __init__(
        self,
        landing: Landing,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        batch_id: int,
        loaded_at: datetime,
        encoding: str | None,
    ) -> None:
        self._landing = landing
        self._connection = connection
        self._folder = folder
        self._batch_id = batch_id
        self._loaded_at = loaded_at
        self._encoding = encoding
        self._not_text = decoding.not_text(encoding)
        self.warnings: list[str] = []
        self.files = 0
        self.records = 0
        self._parts = 0
        self._bytes_done = 0
        self._bytes_in_all = 0
        self._loaded: list[NewFile] = []
        self.in_vain: list[str] = []  # paths of files that fail again until they change
        self._refused: dict[int, str] = {}  # the warning of each file that is not loaded
        self._with_invalid_bytes: set[int] = set()
        self._headers: dict[int, CsvHeader] = {}  # of exports, by file
        self._workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        self._pending: set[Future[None]] = set()
        self._small: dict[_Alike, list[_FileChunk]] = {}
        self._small_sizes: Counter[_Alike] = Counter()

    @property
    def refused(self) -> list[str]:
        """A warning for each file that is not loaded, in their order."""
        return [warning for _, warning in sorted(self._refused.items())]

    def load(self, new_files: list[NewFile]) -> None:
        """Load the files that can be read to their end; the others become warnings."""
        self._bytes_in_all = sum(new.file.size for new in new_files)
        with self._workers:
            for new in new_files:
                if new.file.format != "parquet":
                    self._load_text(new)
            for group in _groups(new for new in new_files if new.file.format == "parquet"):
                self._load_parquet(group)
            for chunks in self._small.values():
                self._submit(chunks)
            self._wait(at_most=0)
        self._write_manifest()

    def _load_text(self, new: NewFile) -> None:
        try:
            self._read_text(new)
        except (NotReadable, OSError) as error:
            self._refuse(new, error)
        else:
            self._accept(new)
            if new.file_id in self._with_invalid_bytes:
                also = f" and not {self._encoding}" if self._encoding else ""
                self.warnings.append(
                    f"{new.file.path} has records that are not UTF-8{also}; they are rejected. Land it again as UTF-8, "
                    "or set CONTACT_REPORTS_ENCODING to the encoding it is in, such as cp1252, and run again"
                )

    def _read_text(self, new: NewFile) -> None:
        with self._landing.open(new.file) as stream:
            hashed = HashingStream(stream)
            buffered = BufferedReader(hashed, 1 << 16)
            _check_type(new.file, buffered.peek())
            chunks = self._chunks(new, cast(BinaryIO, buffered))
            first = list(islice(chunks, 2))
            if len(first) == 2:
                self._load_large(new, chain(first, chunks), hashed)
                return
            _verify(new, hashed.checksum())
        for chunk in first:
            self._add_small(chunk)

    def _load_large(self, new: NewFile, chunks: Iterable[_FileChunk], hashed: HashingStream) -> None:
        """A file of several chunks, in parts of its own, so that they can go if it turns out to be broken."""
        parts = []
        try:
            for chunk in chunks:
                parts.append(self._submit([chunk]))
            _verify(new, hashed.checksum())
        except (NotReadable, OSError):
            self._wait(at_most=0)
            for part in parts:
                part.unlink()
            raise

    def _add_small(self, chunk: _FileChunk) -> None:
        """Collect chunks of small files that are decoded alike, until they are worth a statement."""
        alike = chunk.new.file.kind, chunk.decoder
        self._small.setdefault(alike, []).append(chunk)
        self._small_sizes[alike] += len(chunk.chunk.text)
        if self._small_sizes[alike] >= CHUNK_BYTES:
            self._submit(self._small.pop(alike))
            del self._small_sizes[alike]

    def _submit(self, chunks: list[_FileChunk]) -> Path:
        """Have a worker write the records of chunks that are decoded alike. Returns the file it will be."""
        part = self._next_part(chunks[0].new.file.kind)
        self._wait(at_most=(os.cpu_count() or 1) - 1)
        self._pending.add(self._workers.submit(self._write_part, chunks, part))
        return part

    def _write_part(self, chunks: list[_FileChunk], part: Path) -> None:
        statement = chunks[0].decoder(_table(chunks[0].new.file), self._not_text)
        with self._connection.cursor() as cursor:
            cursor.execute("set TimeZone = 'UTC'")
            cursor.execute(
                f"copy ({statement}) to {sql_text(part)} ({PARQUET_OPTIONS})",
                [
                    json.dumps([chunk.description for chunk in chunks]),
                    CHUNK_MARK.join(chunk.chunk.text for chunk in chunks),
                    self._loaded_at,
                    self._batch_id,
                ],
            )

    def _wait(self, at_most: int) -> None:
        """Wait until at most so many parts are being written. Raises what went wrong with one that is done."""
        while len(self._pending) > at_most:
            done, self._pending = wait(self._pending, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()

    def _load_parquet(self, files: Sequence[NewFile]) -> None:
        """Load Parquet files, those with the same columns together."""
        with (
            ExitStack() as opened,
            tempfile.TemporaryDirectory() as links,
            tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._folder.parent) as copies,
        ):
            found: list[_Found] = []
            for new in files:
                try:
                    found.append(self._find_parquet(new, opened, links, copies))
                except OSError as error:
                    self._refuse(new, error)
            for alike in self._with_the_same_columns(found):
                self._load_alike(alike)

    def _find_parquet(self, new: NewFile, opened: ExitStack, links: str, copies: str) -> _Found:
        """Make a path where DuckDB can read a Parquet file, from the end and in the middle.

        A local file is read by the descriptor that was checked, which `opened` keeps: another file or a link may take
        its place meanwhile. An object in S3 is brought here first. DuckDB would take a name for a pattern if there
        were brackets in it, and gets one without.
        """
        stream = opened.enter_context(self._landing.open(new.file))
        name = f"{new.file_id}.parquet"
        if self._landing.is_local and os.path.isdir(_DESCRIPTORS):
            link = os.path.join(links, name)
            os.symlink(f"{_DESCRIPTORS}/{stream.fileno()}", link)
            return _Found(new, link)
        path = os.path.join(copies, name)
        with open(path, "wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        return _Found(new, path)

    def _with_the_same_columns(self, files: Sequence[_Found]) -> Iterable[Sequence[_Found]]:
        if len(files) > 1:
            try:
                query = decoding_parquet.schemas_of_parquet([file.path for file in files])
                schemas = dict(self._connection.execute(query).fetchall())
            except duckdb.Error:
                # One is broken, and there is more than one way to be that: loading the others shows which.
                half = len(files) // 2
                return chain(self._with_the_same_columns(files[:half]), self._with_the_same_columns(files[half:]))
            alike: dict[tuple[str, str], list[_Found]] = {}
            for file in files:
                alike.setdefault((file.new.file.kind, schemas[file.path]), []).append(file)
            return alike.values()
        return [files] if files else []

    def _load_alike(self, files: Sequence[_Found]) -> None:
        """Load Parquet files with the same columns into one part; in two when there is a broken one among them, and so
        on until it is alone."""
        try:
            self._load_part(files)
        except (NotReadable, OSError) as error:
            if len(files) == 1:
                self._refuse(files[0].new, error)
                return
            half = len(files) // 2
            self._load_alike(files[:half])
            self._load_alike(files[half:])
        else:
            for file in files:
                self._accept(file.new)

    def _load_part(self, files: Sequence[_Found]) -> None:
        part = self._next_part(files[0].new.file.kind)
        try:
            self._copy_parquet(files, part)
            workers = os.cpu_count() or 1
            list(self._workers.map(_verify_unchanged, (files[i::workers] for i in range(workers))))
        except (NotReadable, OSError):
            part.unlink(missing_ok=True)
            raise

    def _copy_parquet(self, files: Sequence[_Found], part: Path) -> None:
        try:
            self._write_parquet(files, part, frozenset())
        except duckdb.Error as error:
            if isinstance(error, duckdb.OutOfMemoryException) or says_disk_is_full(str(error)):
                raise
            # One text that is not UTF-8 costs a file all of its rows, unless all texts are read as bytes.
            if len(files) > 1 or not self._copy_with_texts_as_bytes(files[0], part):
                with open(files[0].path, "rb") as stream:
                    _check_type(files[0].new.file, stream.read(HEAD_BYTES))
                said = first_line(error)
                raise NotReadable(f"is not a Parquet file that can be read to its end ({said})") from None

    def _copy_with_texts_as_bytes(self, file: _Found, part: Path) -> bool:
        """Load a Parquet file whose texts are not all UTF-8. False where that is not what is wrong with it."""
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._folder.parent) as copies:
            copy = os.path.join(copies, os.path.basename(file.path))
            try:
                copy_with_texts_as_bytes(file.path, copy)
                declared = self._columns_of_parquet(file.path)
                texts = frozenset(
                    name
                    for name, column_type in self._columns_of_parquet(copy).items()
                    if column_type != declared[name]
                )
                self._write_parquet([replace(file, path=copy)], part, texts)
            except (ValueError, duckdb.Error) as error:
                if isinstance(error, duckdb.OutOfMemoryException) or says_disk_is_full(str(error)):
                    raise
                return False
        return True

    def _write_parquet(self, files: Sequence[_Found], part: Path, text_columns: frozenset[str]) -> None:
        paths = [file.path for file in files]
        select = decoding_parquet.decode_parquet(
            _table(files[0].new.file), self._columns_of_parquet(paths[0]), paths, text_columns=text_columns
        )
        self._connection.execute(
            f"copy ({select}) to {sql_text(part)} ({PARQUET_OPTIONS})",
            [json.dumps([file.description for file in files]), self._loaded_at, self._batch_id],
        )

    def _columns_of_parquet(self, path: str) -> dict[str, str]:
        described = self._connection.execute(decoding_parquet.columns_of_parquet(path)).fetchall()
        return {column: column_type for column, column_type, *_ in described}

    def _chunks(self, new: NewFile, stream: BinaryIO) -> Iterator[_FileChunk]:
        compressed, encoding = new.file.compressed, self._encoding
        if new.file.format == "jsonl":
            for chunk in read_lines(stream, compressed=compressed, encoding=encoding):
                yield self._file_chunk(new, chunk)
            return
        table = _table(new.file)
        header, chunks = read_csv(stream, compressed=compressed, encoding=encoding, is_known=is_known_in(table))
        if table.is_export:
            self._headers[new.file_id] = header
        names = [column_name(name) for name in header.names]
        # A field that the file has twice is taken where it stands first.
        positions = tuple(names.index(name) + 1 if name in names else 0 for name in table.fields.values())
        for chunk in chunks:
            yield self._file_chunk(new, chunk, header.delimiter, (*positions, len(names)))

    def _file_chunk(
        self, new: NewFile, chunk: Chunk, delimiter: str = "", positions: tuple[int, ...] = ()
    ) -> _FileChunk:
        if chunk.has_invalid_bytes:
            self._with_invalid_bytes.add(new.file_id)
        return _FileChunk(new, chunk, delimiter, positions)

    def _accept(self, new: NewFile) -> None:
        self._loaded.append(new)
        self._report(new)

    def _refuse(self, new: NewFile, error: NotReadable | OSError) -> None:
        if isinstance(error, NotReadable):
            self._refused[new.file_id] = f"{new.file.path} is not loaded: it {error}"
            if not error.may_pass:
                self.in_vain.append(new.file.path)
        else:
            self._refused[new.file_id] = f"{new.file.path} is not loaded: {error.strerror or error}"
        self._report(new)

    def _report(self, new: NewFile) -> None:
        self._bytes_done += new.file.size
        report("loading", self._bytes_done, self._bytes_in_all)

    def _next_part(self, table: str) -> Path:
        self._parts += 1
        return self._folder / f"{table}-{self._parts}.parquet"

    def _write_manifest(self) -> None:
        """Say which versions of which files this batch loaded, and how many records each of them had."""
        records: dict[int, int] = {}
        for kind in {new.file.kind for new in self._loaded}:
            if parts := parquet_files(self._folder, kind):
                counts = f"select file_id, count(*) from {read_parquet(parts)} group by file_id"
                records |= dict(self._connection.execute(counts).fetchall())
        self.files = len(self._loaded)
        self.records = sum(records.values())
        self._connection.execute(
            f"""
            copy (
                select
                    $3::bigint as batch_id,
                    unnest(from_json($1, '[{{
                        "file_id": "BIGINT", "workspace_folder": "VARCHAR", "kind": "VARCHAR",
                        "source_file": "VARCHAR", "sha256": "VARCHAR", "bytes": "BIGINT", "records": "BIGINT",
                        "header": ["VARCHAR"], "delimiter": "VARCHAR"
                    }}]'), max_depth := 2),
                    $2::timestamptz as loaded_at
            ) to {sql_text(self._folder / "files-0.parquet")} ({PARQUET_OPTIONS})""",
            [
                json.dumps(
                    [
                        {
                            "file_id": new.file_id,
                            "workspace_folder": new.file.workspace_id,
                            "kind": new.file.kind,
                            "source_file": new.file.path,
                            "sha256": new.sha256,
                            "bytes": new.file.size,
                            "records": records.get(new.file_id, 0),
                            **_description(self._headers.get(new.file_id)),
                        }
                        for new in sorted(self._loaded, key=lambda new: new.file_id)
                    ]
                ),
                self._loaded_at,
                self._batch_id,
            ],
        )


def _table(file: LandingFile) -> RecordTable:
    return RECORD_TABLES[file.kind]


def _description(header: CsvHeader | None) -> dict[str, object]:
    """What a manifest says of an export's header; no other file has one there."""
    if header is None:
        return {"header": None, "delimiter": None}
    return {
        "header": [name.replace(INVALID_BYTE_MARK, "\\x") for name in header.names],
        "delimiter": header.delimiter,
    }


def _check_type(file: LandingFile, head: bytes) -> None:
    check_type(head, file.format, compressed=file.compressed, parquet_is_read=file.kind in PARQUET_KINDS)


def _groups(files: Iterable[NewFile]) -> Iterator[list[NewFile]]:
    """Parquet files to load together, as far as their columns allow."""
    group: list[NewFile] = []
    size = 0
    for new in files:
        if group and (len(group) == _PARQUET_FILES or size + new.file.size > _PARQUET_BYTES):
            yield group
            group, size = [], 0
        group.append(new)
        size += new.file.size
    if group:
        yield group


def _verify_unchanged(files: Sequence[_Found]) -> None:
    for file in files:
        with open(file.path, "rb") as stream:
            _verify(file.new, checksum(stream))


def _verify(new: NewFile, sha256: str) -> None:
    if sha256 != new.sha256:
        raise NotReadable("changed while it was read", "it is taken by the next run, once it is at rest", may_pass=True)
