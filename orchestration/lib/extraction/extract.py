"""Extracts what is new in the landing folder into one batch of the raw zone.

A file is read twice: once for its checksum, which says whether it is new, and once for its records, while the checksum
is taken again. A file whose checksums differ changed meanwhile, and is left for the next run. So the raw zone has under
a checksum exactly the bytes with this checksum.
"""

import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration.lib.extraction.batch import Batch
from orchestration.lib.extraction.checksums import ChecksumCache, is_settled, reading_checksums
from orchestration.lib.extraction.decoding import not_text
from orchestration.lib.extraction.limits import LIMITS, Limits
from orchestration.lib.extraction.parts import NewFile
from orchestration.lib.extraction.workspaces import Workspaces, check_workspaces
from orchestration.lib.landing.kinds import WORKSPACES
from orchestration.lib.landing.listing import Landing, LandingFile
from orchestration.lib.problems import Problem
from orchestration.lib.progress import report
from orchestration.lib.raw_zone.forgetting import commit
from orchestration.lib.raw_zone.forgetting import prepare as prepare_zone
from orchestration.lib.raw_zone.zone import LoadedContents, RawZone
from orchestration.lib.sql import sql_text

# An event may be this much later than its loading (contract 4), so a clock that is set back by less does no harm.
_CLOCK_TOLERANCE = timedelta(hours=24)


@dataclass
class UnreadFiles:
    """The files of the landing folder that are not loaded: a warning for each."""

    listed: list[str] = field(default_factory=list)  # because of their names or places
    refused: list[str] = field(default_factory=list)  # because of what is in them
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
    limits: Limits = LIMITS,
) -> Extraction:
    """Load every new file of the landing folder as one batch.

    `cache` is the file of the ChecksumCache. Lines that are not UTF-8 are read in `encoding`. `memory_limit` is
    DuckDB's. The result has a warning for each file that cannot be loaded, on every run until the file is replaced.
    Raises Problem when the landing folder cannot be listed, or when its workspaces.csv is missing or wrong.
    """
    loaded_at = datetime.now(UTC)
    listing = landing.list()
    workspaces = check_workspaces(landing, listing, encoding)
    prepare_zone(zone)
    result = Extraction(unread=UnreadFiles(listed=listing.warnings))
    with _connect(zone.path, memory_limit) as connection:
        _check_clock(zone, connection, loaded_at)
        loaded = _loaded_contents(zone, connection, encoding)
        first_id = zone.newest_file_id(connection) + 1
        checksums = _checksums(landing, listing.files, workspaces, cache, limits, result.unread)
        new_files = _new_files(checksums, loaded, first_id)
        if not new_files:
            return result
        with zone.incoming() as folder:
            batch_id = zone.newest_batch() + 1
            batch = Batch(landing, connection, folder, batch_id, loaded_at, encoding, limits)
            outcome = batch.load(new_files)
            result.unread.refused += outcome.refused
            result.unread.in_vain = outcome.in_vain
            result.notes = outcome.warnings
            if outcome.loaded:
                commit(zone, folder, batch_id)
                result.batch_id, result.files, result.records = batch_id, len(outcome.loaded), batch.records
    return result


def not_loaded(
    zone: RawZone, files: list[LandingFile], cache: Path, in_vain: Collection[str], encoding: str | None
) -> list[LandingFile]:
    """The files that a run would read, as far as names, sizes and times tell. Reads no file.

    `in_vain` are the paths of files that cannot be loaded. A run reads them when they have changed.
    """
    checksums = ChecksumCache(cache)
    with duckdb.connect() as connection:
        loaded = _loaded_contents(zone, connection, encoding)

    def is_done(file: LandingFile) -> bool:
        sha256 = checksums.get(file)
        return sha256 is not None and (file.path in in_vain or loaded.has(file, sha256))

    return [file for file in files if not is_done(file)]


def _check_clock(zone: RawZone, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Raise Problem when the clock was set back: events after the time it shows would be rejected for good."""
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
        # Each statement reads one chunk, which has one thread. Keeping the order across threads would cost memory.
        connection.execute("set preserve_insertion_order = false")
        yield connection
    shutil.rmtree(spill, ignore_errors=True)


def _loaded_contents(zone: RawZone, connection: duckdb.DuckDBPyConnection, encoding: str | None) -> LoadedContents:
    """What has been loaded, without the files that have records to be read again in another encoding."""
    loaded = zone.loaded_contents(connection)
    if not encoding:
        return loaded
    errors = f"parse_error = {sql_text(not_text(None))} or starts_with(parse_error, {sql_text(not_text(''))})"
    again = zone.loaded_with_error(connection, f"({errors}) and parse_error <> {sql_text(not_text(encoding))}")
    return LoadedContents(
        loaded.by_content.difference((folder, kind, sha256) for folder, kind, sha256, _ in again),
        dict(loaded.last_by_path.items() - {(path, sha256) for _, _, sha256, path in again}),
    )


def _checksums(
    landing: Landing,
    files: list[LandingFile],
    workspaces: Workspaces,
    cache: Path,
    limits: Limits,
    unread: UnreadFiles,
) -> list[tuple[LandingFile, str]]:
    """Each file with its checksum, in loading order. Files that cannot be read are refused."""
    found: list[tuple[LandingFile, str]] = []
    checksums = ChecksumCache(cache)
    total, done = sum(file.size for file in files), 0
    unknown = [file for file in files if checksums.get(file) is None]
    began = time.time()  # Threads may have read a file long before its turn comes.
    with reading_checksums(landing, unknown, limits) as checksum_of:
        for file in files:
            try:
                # Of workspaces.csv the bytes that were checked are loaded.
                is_checked = file.kind is WORKSPACES
                sha256 = workspaces.sha256 if is_checked else checksums.get(file) or checksum_of(file)
            except OSError as error:
                unread.refused.append(f"{file.path} is not loaded: it cannot be read ({error.strerror or error})")
                continue
            if not landing.is_local or is_settled(landing.absolute(file.path), began, limits):
                checksums.remember(file, sha256)
            found.append((file, sha256))
            done += file.size
            report("looking for new files", done, total)
    checksums.save()
    return found


def _new_files(checksums: list[tuple[LandingFile, str]], loaded: LoadedContents, first_id: int) -> list[NewFile]:
    """The files to load: event files with bytes new to the workspace, changed directories."""
    new_files: list[NewFile] = []
    new_events: set[tuple[str | None, str, str]] = set()
    for file, sha256 in checksums:
        content = file.workspace_id, file.kind.name, sha256
        if loaded.has(file, sha256) or content in new_events:
            continue
        if file.kind.brings_events:
            new_events.add(content)
        new_files.append(NewFile(file, sha256, first_id + len(new_files)))
    return new_files
