"""Extracts what is new in the landing folder into one batch of the raw zone.

A file is read twice: once for its checksum, which says whether it is new, and once for its records, while the
checksum is taken again. If the two differ the file changed in between, and is left for the next run: what the raw
zone holds under a checksum is exactly the bytes that have it.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration.lib.extraction.batch import Batch, NewFile
from orchestration.lib.extraction.decoding import not_text
from orchestration.lib.extraction.reading import checksum
from orchestration.lib.extraction.workspaces import Workspaces, check_workspaces
from orchestration.lib.landing.listing import EVENT_KINDS, Landing, LandingFile
from orchestration.lib.problems import Problem
from orchestration.lib.progress import report
from orchestration.lib.raw_zone.zone import LoadedContents, RawZone, sql_text

# A file that changed later than so long before the first was read may change again without showing it: clocks of file
# systems tick every few milliseconds. Its checksum is not remembered.
_SETTLED_SECONDS = 2.0

# The checksum of a smaller file takes less than a millisecond, and is not worth a thread.
_LARGE_BYTES = 1 << 20

# An event may be so much later than its loading (contract 4); a clock that is set back by less does no harm.
_CLOCK_TOLERANCE = timedelta(hours=24)


@dataclass
class UnreadFiles:
    """The files of the landing folder that are not loaded: a warning for each."""

    listed: list[str] = field(default_factory=list)  # by their names or places alone
    refused: list[str] = field(default_factory=list)  # when they were opened
    in_vain: list[str] = field(default_factory=list)  # paths of those that fail again until they change

    @property
    def warnings(self) -> list[str]:
        return [*self.listed, *self.refused]


@dataclass
class Extraction:
    """What one run took from the landing folder."""

    batch_id: int | None = None  # None when nothing was new
    files: int = 0
    records: int = 0
    notes: list[str] = field(default_factory=list)  # warnings of this run alone
    unread: UnreadFiles = field(default_factory=UnreadFiles)

    @property
    def warnings(self) -> list[str]:
        return [*self.notes, *self.unread.warnings]


def extract(
    landing: Landing,
    zone: RawZone,
    cache: Path,
    *,
    encoding: str | None = None,
    memory_limit: str | None = None,
) -> Extraction:
    """Load every new file of the landing folder as one batch.

    `cache` is a file that remembers checksums; deleting it costs reading the landing folder once. `encoding` is how
    lines that are not UTF-8 are read, `memory_limit` what DuckDB may hold. Files that cannot be loaded are named, this
    time and every time until they are replaced. Raises Problem when the landing folder cannot be listed, or when its
    workspaces.csv is missing or wrong.
    """
    loaded_at = datetime.now(UTC)
    listing = landing.list()
    workspaces = check_workspaces(landing, listing, encoding)
    zone.prepare()
    result = Extraction(unread=UnreadFiles(listed=listing.warnings))
    with _connect(zone.path, memory_limit) as connection:
        _check_clock(zone, connection, loaded_at)
        loaded = _loaded_contents(zone, connection, encoding)
        new_files = _new_files(landing, zone, connection, listing.files, loaded, workspaces, cache, result)
        if not new_files:
            return result
        with zone.incoming() as folder:
            batch_id = zone.newest_batch() + 1
            batch = Batch(landing, connection, folder, batch_id, loaded_at, encoding)
            batch.load(new_files)
            result.unread.refused += batch.refused
            result.unread.in_vain = batch.in_vain
            result.notes = batch.warnings
            if batch.files:
                zone.commit(folder, batch_id)
                result.batch_id, result.files, result.records = batch_id, batch.files, batch.records
    return result


def not_loaded(
    zone: RawZone, files: list[LandingFile], cache: Path, in_vain: Collection[str], encoding: str | None
) -> list[LandingFile]:
    """The files that a run would look into, as far as names, sizes and times tell. No file is read.

    `in_vain` are the paths of files that cannot be loaded: they are looked into when they have changed.
    """
    remembered = _read_cache(cache)
    with duckdb.connect() as connection:
        loaded = _loaded_contents(zone, connection, encoding)

    def is_loaded(file: LandingFile) -> bool:
        signature, sha256 = remembered.get(file.path, ("", ""))
        if signature != file.signature:
            return False
        if file.path in in_vain:
            return True
        if file.kind in EVENT_KINDS:
            return (file.workspace_id, file.kind, sha256) in loaded.by_content
        return loaded.last_by_path.get(file.path) == sha256

    return [file for file in files if not is_loaded(file)]


def _check_clock(zone: RawZone, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Load nothing by a clock that was set back: what happened after its time would be rejected for good."""
    last = zone.last_loading(connection)
    if last is not None and now < last[1] - _CLOCK_TOLERANCE:
        raise Problem(
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, but batch {last[0]} was loaded at {last[1]:%Y-%m-%d %H:%M} UTC",
            "Set the clock right and run again. If it is right, the batch was loaded by a wrong one: delete the folder "
            f"{zone.folder_of(last[0])} and run again, and its files are loaded again from the landing folder",
        )


@contextmanager
def _connect(zone: Path, memory_limit: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that spills beside the raw zone."""
    spill = zone / ".incoming-spill"
    with duckdb.connect(config={"temp_directory": str(spill)}) as connection:
        if memory_limit:
            connection.execute(f"set memory_limit = {sql_text(memory_limit)}")
        connection.execute("set TimeZone = 'UTC'")
        # Each statement reads one chunk, in order already: keeping order across threads would only cost memory.
        connection.execute("set preserve_insertion_order = false")
        yield connection
    shutil.rmtree(spill, ignore_errors=True)


def _loaded_contents(zone: RawZone, connection: duckdb.DuckDBPyConnection, encoding: str | None) -> LoadedContents:
    """What has been loaded, but for files with records that are not UTF-8 and were not read in this encoding."""
    loaded = zone.loaded_contents(connection)
    if not encoding:
        return loaded
    errors = f"parse_error = {sql_text(not_text(None))} or starts_with(parse_error, {sql_text(not_text(''))})"
    again = zone.loaded_with_error(connection, f"({errors}) and parse_error <> {sql_text(not_text(encoding))}")
    return LoadedContents(
        loaded.by_content.difference((folder, kind, sha256) for folder, kind, sha256, _ in again),
        dict(loaded.last_by_path.items() - {(path, sha256) for _, _, sha256, path in again}),
    )


def _new_files(
    landing: Landing,
    zone: RawZone,
    connection: duckdb.DuckDBPyConnection,
    files: list[LandingFile],
    loaded: LoadedContents,
    workspaces: Workspaces,
    cache: Path,
    result: Extraction,
) -> list[NewFile]:
    """The files to load, in loading order: event files with content new to the workspace, changed directories."""
    by_content = set(loaded.by_content)
    next_id = zone.newest_file_id(connection) + 1
    remembered = _read_cache(cache)
    checksums: dict[str, tuple[str, str]] = {}
    new_files: list[NewFile] = []
    total, done = sum(file.size for file in files), 0
    unknown = [file for file in files if remembered.get(file.path, ("", ""))[0] != file.signature]
    began = time.time()  # Threads are ahead: when a file's turn comes, it may have been read long since.
    with _checksums(landing, unknown) as checksum_of:
        for file in files:
            signature, sha256 = remembered.get(file.path, ("", ""))
            if file.kind == "workspaces":
                sha256 = workspaces.sha256  # What is loaded are the bytes that were checked.
            elif signature != file.signature:
                try:
                    sha256 = checksum_of(file)
                except OSError as error:
                    result.unread.refused.append(
                        f"{file.path} is not loaded: it cannot be read ({error.strerror or error})"
                    )
                    continue
            if not landing.is_local or _settled(landing.absolute(file.path), began):
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
            new_files.append(NewFile(file, sha256, next_id + len(new_files)))
    if checksums != remembered:
        _write_cache(cache, checksums)
    return new_files


@contextmanager
def _checksums(landing: Landing, files: list[LandingFile]) -> Iterator[Callable[[LandingFile], str]]:
    """What gives the checksum of one of the files. Threads read the large ones, but not in S3, beforehand."""

    def read(file: LandingFile) -> str:
        with landing.open(file) as stream:
            return checksum(stream)

    workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
    large = (file for file in files if landing.is_local and file.size >= _LARGE_BYTES)
    being_read = {file.path: workers.submit(read, file) for file in large}
    try:
        yield lambda file: being_read[file.path].result() if file.path in being_read else read(file)
    finally:
        workers.shutdown(cancel_futures=True)  # A run that is interrupted does not read the rest.


def _settled(path: str, since: float) -> bool:
    """Whether a file was at rest at a time, and has been since."""
    try:
        return since - os.stat(path).st_ctime > _SETTLED_SECONDS
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
