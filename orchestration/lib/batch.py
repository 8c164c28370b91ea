"""Writes the records of new files as the Parquet files of one batch.

Small files that are decoded alike share a statement and a Parquet file; a large one comes in chunks, each of them a
Parquet file, so that all of it can go if it turns out to be broken. Workers write while the next chunk is read.
"""

import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

import duckdb

from orchestration.lib import decoding
from orchestration.lib.landing import Landing, LandingFile
from orchestration.lib.problems import first_line, says_disk_is_full
from orchestration.lib.progress import report
from orchestration.lib.raw_zone import (
    PARQUET_OPTIONS,
    RECORD_TABLES,
    RecordTable,
    parquet_files,
    read_parquet,
    sql_text,
)
from orchestration.lib.reading import (
    CHUNK_BYTES,
    CHUNK_MARK,
    Chunk,
    HashingStream,
    NotReadable,
    checksum,
    read_csv,
    read_lines,
)

_NO_LETTER_OR_DIGIT = re.compile(r"[^a-z0-9]")


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
    header: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()

    @property
    def description(self) -> dict[str, object]:
        return {
            "file_id": self.new.file_id,
            "workspace_folder": self.new.file.workspace_id,
            "source_file": self.new.file.path,
            "first_line": self.chunk.first_line,
            "delimiter": self.delimiter,
            "header": json.dumps(self.header, ensure_ascii=False),
            "positions": self.positions,
        }

    @property
    def statement(self) -> str:
        table = _table(self.new.file)
        if self.new.file.format == "jsonl":
            return decoding.decode_json_lines(table)
        if self.chunk.split_into_fields:
            return decoding.decode_csv_fields(table)
        return decoding.decode_csv_lines(table)


class Batch:
    """Writes the Parquet files of one batch into a folder; knows then what was loaded, and what could not be."""

    def __init__(
        self,
        landing: Landing,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        batch_id: int,
        loaded_at: datetime,
    ) -> None:
        self._landing = landing
        self._connection = connection
        self._folder = folder
        self._batch_id = batch_id
        self._loaded_at = loaded_at
        self.warnings: list[str] = []
        self.files = 0
        self.records = 0
        self._parts = 0
        self._bytes_done = 0
        self._bytes_in_all = 0
        self._loaded: list[NewFile] = []
        self._workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        self._pending: set[Future[None]] = set()
        self._small: dict[str, list[_FileChunk]] = {}
        self._small_sizes: Counter[str] = Counter()

    def load(self, new_files: list[NewFile]) -> None:
        """Load the files that can be read to their end; the others become warnings."""
        self._bytes_in_all = sum(new.file.size for new in new_files)
        with self._workers:
            for new in new_files:
                with self._reporting(new):
                    if new.file.format == "parquet":
                        self._load_parquet(new)
                    else:
                        self._load_text(new)
                    self._loaded.append(new)
            for chunks in self._small.values():
                self._submit(chunks)
            self._wait(at_most=0)
        self._write_manifest()

    def _load_text(self, new: NewFile) -> None:
        with self._landing.open(new.file.path) as stream:
            hashed = HashingStream(stream)
            chunks = self._chunks(new, cast(BinaryIO, BufferedReader(hashed, 1 << 20)))
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
        statement = chunk.statement
        self._small.setdefault(statement, []).append(chunk)
        self._small_sizes[statement] += len(chunk.chunk.text)
        if self._small_sizes[statement] >= CHUNK_BYTES:
            self._submit(self._small.pop(statement))
            del self._small_sizes[statement]

    def _submit(self, chunks: list[_FileChunk]) -> Path:
        """Have a worker write the records of chunks that are decoded alike. Returns the file it will be."""
        part = self._next_part(chunks[0].new.file.kind)
        self._wait(at_most=(os.cpu_count() or 1) - 1)
        self._pending.add(self._workers.submit(self._write_part, chunks, part))
        return part

    def _write_part(self, chunks: list[_FileChunk], part: Path) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("set TimeZone = 'UTC'")
            cursor.execute(
                f"copy ({chunks[0].statement}) to {sql_text(part)} ({PARQUET_OPTIONS})",
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

    def _load_parquet(self, new: NewFile) -> None:
        part = self._next_part(new.file.kind)
        with self._local_copy(new.file) as path:
            try:
                self._copy_parquet(new, path, part)
                with open(path, "rb") as stream:
                    _verify(new, checksum(stream))
            except (NotReadable, OSError):
                part.unlink(missing_ok=True)
                raise

    def _copy_parquet(self, new: NewFile, path: str, part: Path) -> None:
        try:
            described = self._connection.execute(decoding.DESCRIBE_PARQUET, [path]).fetchall()
            columns = {column: column_type for column, column_type, *_ in described}
            select = decoding.decode_parquet(_table(new.file), columns)
            self._connection.execute(
                f"copy ({select}) to {sql_text(part)} ({PARQUET_OPTIONS})",
                [new.file_id, new.file.workspace_id, new.file.path, path, self._loaded_at, self._batch_id],
            )
        except duckdb.Error as error:
            if isinstance(error, duckdb.OutOfMemoryException) or says_disk_is_full(str(error)):
                raise
            raise NotReadable(f"is not a Parquet file that can be read to its end ({first_line(error)})") from None

    @contextmanager
    def _local_copy(self, file: LandingFile) -> Iterator[str]:
        """A path where DuckDB can read a Parquet file, from the end and in the middle.

        An object in S3 is brought here first. A local file is read under another name: DuckDB would take its own for
        a pattern if there are brackets in it.
        """
        with (
            tempfile.TemporaryDirectory() as links,
            tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._folder.parent) as copies,
        ):
            source = self._landing.absolute(file.path)
            if not self._landing.is_local:
                source = os.path.join(copies, "copy.parquet")
                with self._landing.open(file.path) as stream, open(source, "wb") as copy:
                    shutil.copyfileobj(stream, copy, 1 << 20)
            link = os.path.join(links, "file.parquet")
            os.symlink(source, link)
            yield link

    def _chunks(self, new: NewFile, stream: BinaryIO) -> Iterator[_FileChunk]:
        if new.file.format == "jsonl":
            for chunk in read_lines(stream, compressed=new.file.compressed):
                yield _FileChunk(new, chunk)
            return
        header, chunks = read_csv(stream, compressed=new.file.compressed)
        table = _table(new.file)
        names = tuple(_NO_LETTER_OR_DIGIT.sub("", name) for name in header.names) if table.is_export else header.names
        # A field that the file has twice is taken where it stands first.
        positions = tuple(names.index(name) + 1 if name in names else 0 for name in table.fields.values())
        for chunk in chunks:
            yield _FileChunk(new, chunk, header.delimiter, names, (*positions, len(names)))

    @contextmanager
    def _reporting(self, new: NewFile) -> Iterator[None]:
        try:
            yield
        except NotReadable as error:
            self.warnings.append(f"{new.file.path} is not loaded: it {error}; replace it")
        except OSError as error:
            self.warnings.append(f"{new.file.path} is not loaded: {error.strerror or error}")
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
                        "source_file": "VARCHAR", "sha256": "VARCHAR", "bytes": "BIGINT", "records": "BIGINT"
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
                        }
                        for new in self._loaded
                    ]
                ),
                self._loaded_at,
                self._batch_id,
            ],
        )


def _table(file: LandingFile) -> RecordTable:
    return RECORD_TABLES[file.kind]


def _verify(new: NewFile, sha256: str) -> None:
    if sha256 != new.sha256:
        raise NotReadable("changed while it was read; it is taken by the next run, once it is at rest")
