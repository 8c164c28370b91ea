"""The steps of a run as plain functions, and what an error in one of them means to an operator."""

import contextlib
import errno
import re
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.lib.extract import Extraction, extract, seems_new
from orchestration.lib.landing import Landing
from orchestration.lib.problems import (
    Problem,
    disk_is_full,
    first_line,
    memory_is_short,
    says_disk_is_full,
    says_memory_is_short,
)
from orchestration.lib.published import remove_beside
from orchestration.lib.raw_zone import RawZone, flush_to_disk
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.sample import write_sample
from orchestration.lib.settings import Settings
from orchestration.lib.text import printable


def load_landing(settings: Settings, when_new: Callable[[], None] = lambda: None) -> Extraction:
    """Extract what is new in the landing folder, webhooks included; in the sample's when nothing is configured.

    `when_new` is called before new files are loaded.
    """
    beside = remove_beside(settings.published)
    zone, is_sample = RawZone(settings.raw), settings.is_sample
    if is_sample:
        _begin_the_sample(settings)
    elif settings.sample_mark.exists():
        # What the sample left can be generated again, and has no place among real records.
        _remove_the_sample(settings)
    landing = Landing(str(settings.sample) if is_sample else settings.own_landing_url)
    waiting = [] if is_sample else collect(settings.receiver, landing)
    extraction = extract(
        landing,
        zone,
        _checksums(settings),
        when_new,
        encoding=settings.encoding,
        memory_limit=settings.memory_limit_of_duckdb,
    )
    extraction.warnings = [printable(warning) for warning in [*beside, *waiting, *extraction.warnings]]
    return extraction


def _begin_the_sample(settings: Settings) -> None:
    """Have the raw zone marked before the sample's first record is in it."""
    write_sample(settings.sample, datetime.now(UTC))
    if settings.sample_mark.exists() and not _empty_tables(settings).exists():
        # Its removal was not finished, and the landing folder is gone again.
        _remove_the_sample(settings)
    settings.raw.mkdir(parents=True, exist_ok=True)
    settings.sample_mark.touch()
    flush_to_disk(settings.raw)


def _remove_the_sample(settings: Settings) -> None:
    """Remove the sample's records from the raw zone. The mark goes last: where it is gone, so are they."""
    with RawZone(settings.raw).incoming() as folder, contextlib.suppress(FileNotFoundError):
        # First, in one step: a zone that is half removed is known by that.
        _empty_tables(settings).rename(folder / "removed")
    for path in settings.raw.iterdir():
        if path != settings.sample_mark:
            shutil.rmtree(path)
    flush_to_disk(settings.raw)
    settings.sample_mark.unlink()


def _empty_tables(settings: Settings) -> Path:
    return settings.raw / "batches-0-0"


def seems_busy(settings: Settings) -> bool:
    """Whether a run will have something to build, as far as a look at the folders tells."""
    if not settings.published.exists():
        return True
    try:
        return seems_new(Landing(settings.landing_url), _checksums(settings))
    except Problem:
        return False  # The run will say it.


def _checksums(settings: Settings) -> Path:
    return settings.data / "cache" / "landing_checksums.json"


def explain(error: BaseException, settings: Settings) -> Problem | None:
    """The problem behind an error of the machine; None when the error is ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, MemoryError) or says_memory_is_short(str(error)):
        return memory_is_short(first_line(error))
    # What Dagster cannot write into its SQLite files comes wrapped by the library in between.
    origin = error.__cause__ if isinstance(error.__cause__, sqlite3.Error) else error
    if isinstance(origin, OSError | duckdb.Error | sqlite3.Error) and says_disk_is_full(str(origin)):
        return disk_is_full(settings.data, first_line(origin))
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Problem(
            # A file that cannot be renamed lies in a folder that can be written; the other one is what it was for.
            f"{error.filename2 or error.filename} cannot be written or read: {error.strerror}",
            "Give the user who runs the pipeline permission to the data folder, on a disk that can be written",
        )
    if isinstance(error, duckdb.Error):
        return raw_zone_is_damaged(settings, str(error))
    return None


def raw_zone_is_damaged(settings: Settings, message: str) -> Problem | None:
    """The problem that a file of the raw zone, named in an error of DuckDB, cannot be read; None when none is named."""
    found = re.search(re.escape(str(settings.raw)) + r"/(batches-\d+-(\d+))/[\w-]+\.parquet", message)
    if found is None:
        return None
    folder, newest = settings.raw / found[1], int(found[2])
    # Batch 0 has no records: its empty tables are made again when they are missing.
    again = f"delete the folder {folder} and run again: its files are loaded again from the landing folder"
    return Problem(
        f"The raw zone is damaged: {found[0]} cannot be read ({' '.join(message.split())[:200]})",
        f"Restore it from a backup and run again. Without one, {again if newest else 'delete it and run again'}",
    )
