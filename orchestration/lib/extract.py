"""Extracts what is new in the landing folder into one batch of the raw zone.

A file is read twice: once for its checksum, which says whether it is new, and once for its records, while the
checksum is taken again. If the two differ the file changed in between, and is left for the next run: what the raw
zone holds under a checksum is exactly the bytes that have it.
"""

import glob
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

import duckdb

from orchestration.lib import decoding
from orchestration.lib.landing import EVENT_KINDS, Landing, LandingFile
from orchestration.lib.problems import says_disk_is_full
from orchestration.lib.progress import report
from orchestration.lib.raw_zone import PARQUET_OPTIONS, RECORD_TABLES, RawZone, RecordTable, sql_text
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
from orchestration.lib.workspaces import check_workspaces

# A file whose change time is younger than this may change again without showing it: clocks of file systems tick
# every few milliseconds. Its checksum is not remembered.
_SETTLED_SECONDS = 2.0


@dataclass
class Extraction:
    """What one run took from the landing folder."""

    batch_id: int | None = None  # None when nothing was new
    files: int = 0
    records: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _NewFile:
    file: LandingFile
    sha256: str
    file_id: int


@dataclass(frozen=True)
class _FileChunk:
    """A chunk of a file, with what `decoding` needs to know of the file."""

    new: _NewFile
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
    def statement(self) -> str:
        table = _table(self.new.file)
        if self.new.file.format == "jsonl":
            return decoding.decode_json_lines(table)
        if self.chunk.split_into_fields:
            return decoding.decode_csv_fields(table)
        return decoding.decode_csv_lines(table)


def extract(landing: Landing, zone: RawZone, cache: Path) -> Extraction:
    """Load every new file of the landing folder as one batch.

    `cache` is a file that remembers checksums; deleting it costs reading the landing folder once. Files that cannot
    be loaded are named in the warnings, this time and every time until they are replaced. Raises Problem when the
    landing folder cannot be listed, or when its workspaces.csv is missing or wrong.
    """
    loaded_at = datetime.now(UTC)
    listing = landing.list()
    check_workspaces(landing)
    zone.prepare()
    result = Extraction(warnings=listing.warnings)
    with _connect(zone.path) as connection:
        new_files = _new_files(landing, zone, connection, listing.files, cache, result)
        if not new_files:
            return result
        with zone.incoming() as folder:
            _Batch(landing, connection, folder, loaded_at, result).load(new_files)
            if result.files:
                result.batch_id = zone.commit(folder)
    return result


def _table(file: LandingFile) -> RecordTable:
    return RECORD_TABLES[file.kind]


@contextmanager
def _connect(zone: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that spills beside the raw zone."""
    spill = zone / ".incoming-spill"
    with duckdb.connect(config={"temp_directory": str(spill)}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        # Each statement reads one chunk, in order already: keeping order across threads would only cost memory.
        connection.execute("set preserve_insertion_order = false")
        yield connection
    shutil.rmtree(spill, ignore_errors=True)


def _new_files(
    landing: Landing,
    zone: RawZone,
    connection: duckdb.DuckDBPyConnection,
    files: list[LandingFile],
    cache: Path,
    result: Extraction,
) -> list[_NewFile]:
    """The files to load, in loading order: event files with content new to the workspace, changed directories."""
    loaded = zone.loaded_contents(connection)
    by_content = set(loaded.by_content)
    next_id = zone.newest_file_id(connection) + 1
    remembered = _read_cache(cache)
    checksums: dict[str, tuple[str, str]] = {}
    new_files: list[_NewFile] = []
    total, done = sum(file.size for file in files), 0
    for file in files:
        signature, sha256 = remembered.get(file.path, ("", ""))
        if signature != file.signature:
            try:
                with landing.open(file.path) as stream:
                    sha256 = checksum(stream)
            except OSError as error:
                result.warnings.append(f"{file.path} is not loaded: it cannot be read ({error.strerror or error})")
                continue
        if not landing.is_local or _settled(landing.absolute(file.path)):
            checksums[file.path] = (file.signature, sha256)
        done += file.size
        report("looking for new files", done, total)
        if file.kind in EVENT_KINDS:
            assert file.workspace_id is not None
            if (content := (file.workspace_id, file.kind, sha256)) in by_content:
                continue
            by_content.add(content)
        elif loaded.last_by_path.get(file.path) == sha256:
            continue
        new_files.append(_NewFile(file, sha256, next_id + len(new_files)))
    if checksums != remembered:
        _write_cache(cache, checksums)
    return new_files


class _Batch:
    """Writes the Parquet files of one batch into a folder."""

    def __init__(
        self,
        landing: Landing,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        loaded_at: datetime,
        result: Extraction,
    ) -> None:
        self._landing = landing
        self._connection = connection
        self._folder = folder
        self._loaded_at = loaded_at
        self._result = result
        self._parts = 0
        self._bytes_done = 0
        self._bytes_in_all = 0
        self._loaded: list[_NewFile] = []
        self._workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        self._pending: set[Future[None]] = set()
        self._small: dict[str, list[_FileChunk]] = {}
        self._small_sizes: Counter[str] = Counter()

    def load(self, new_files: list[_NewFile]) -> None:
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

    def _load_text(self, new: _NewFile) -> None:
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

    def _load_large(self, new: _NewFile, chunks: Iterable[_FileChunk], hashed: HashingStream) -> None:
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
                ],
            )

    def _wait(self, at_most: int) -> None:
        """Wait until at most so many parts are being written. Raises what went wrong with one that is done."""
        while len(self._pending) > at_most:
            done, self._pending = wait(self._pending, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()

    def _load_parquet(self, new: _NewFile) -> None:
        part = self._next_part(new.file.kind)
        with self._local_copy(new.file) as path:
            try:
                self._copy_parquet(new, path, part)
                with open(path, "rb") as stream:
                    _verify(new, checksum(stream))
            except (NotReadable, OSError):
                part.unlink(missing_ok=True)
                raise

    def _copy_parquet(self, new: _NewFile, path: str, part: Path) -> None:
        try:
            described = self._connection.execute(decoding.DESCRIBE_PARQUET, [path]).fetchall()
            columns = {column: column_type for column, column_type, *_ in described}
            select = decoding.decode_parquet(_table(new.file), columns)
            self._connection.execute(
                f"copy ({select}) to {sql_text(part)} ({PARQUET_OPTIONS})",
                [new.file_id, new.file.workspace_id, new.file.path, path, self._loaded_at],
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

    def _chunks(self, new: _NewFile, stream: BinaryIO) -> Iterator[_FileChunk]:
        if new.file.format == "jsonl":
            for chunk in read_lines(stream, compressed=new.file.compressed):
                yield _FileChunk(new, chunk)
            return
        header, chunks = read_csv(stream, compressed=new.file.compressed)
        # A field that the file has twice is taken where it stands first.
        positions = tuple(
            header.names.index(field) + 1 if field in header.names else 0 for field in _table(new.file).fields
        )
        for chunk in chunks:
            yield _FileChunk(new, chunk, header.delimiter, (*positions, len(header.names)))

    @contextmanager
    def _reporting(self, new: _NewFile) -> Iterator[None]:
        try:
            yield
        except NotReadable as error:
            self._result.warnings.append(f"{new.file.path} is not loaded: it {error}; replace it")
        except OSError as error:
            self._result.warnings.append(f"{new.file.path} is not loaded: {error.strerror or error}")
        self._bytes_done += new.file.size
        report("loading", self._bytes_done, self._bytes_in_all)

    def _next_part(self, table: str) -> Path:
        self._parts += 1
        return self._folder / f"{table}-{self._parts}.parquet"

    def _write_manifest(self) -> None:
        """Say which versions of which files this batch loaded, and how many records each of them had."""
        records: dict[int, int] = {}
        for kind in {new.file.kind for new in self._loaded}:
            if any(self._folder.glob(f"{kind}-*.parquet")):
                parts = sql_text(Path(glob.escape(str(self._folder))) / f"{kind}-*.parquet")
                counts = f"select file_id, count(*) from read_parquet({parts}) group by file_id"
                records |= dict(self._connection.execute(counts).fetchall())
        self._result.files = len(self._loaded)
        self._result.records = sum(records[new.file_id] for new in self._loaded if new.file_id in records)
        self._connection.execute(
            f"""
            copy (
                select
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
            ],
        )


def _verify(new: _NewFile, sha256: str) -> None:
    if sha256 != new.sha256:
        raise NotReadable("changed while it was read; it is taken by the next run, once it is at rest")


def _settled(path: str) -> bool:
    try:
        return time.time() - os.stat(path).st_ctime > _SETTLED_SECONDS
    except OSError:
        return False


def _read_cache(cache: Path) -> dict[str, tuple[str, str]]:
    try:
        return {path: (signature, sha256) for path, (signature, sha256) in json.loads(cache.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # It only saves time.


def _write_cache(cache: Path, checksums: dict[str, tuple[str, str]]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    incoming = cache.with_suffix(".tmp")
    incoming.write_text(json.dumps(checksums))
    incoming.replace(cache)


def first_line(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
