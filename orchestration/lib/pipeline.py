"""The first step of a run, the look for something new, and what an error means to an operator."""

import contextlib
import errno
import re
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.lib.extraction.extract import Extraction, extract, not_loaded
from orchestration.lib.extraction.workspaces import check_workspaces
from orchestration.lib.folders import flush_to_disk
from orchestration.lib.landing.listing import Landing, Listing
from orchestration.lib.monitoring.health import read_unread_files
from orchestration.lib.problems import (
    Problem,
    disk_is_full,
    first_line,
    memory_is_short,
    says_disk_is_full,
    says_memory_is_short,
)
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.receiver.segments import OPEN, SEALED
from orchestration.lib.settings import Settings
from orchestration.lib.text import printable
from orchestration.lib.warehouse.plan import plan
from orchestration.lib.warehouse.published import found_beside, remove_beside
from orchestration.sample.sample import write_sample


def load_landing(settings: Settings) -> Extraction:
    """Extract what is new in the landing folder, webhooks included; in the sample's when nothing is configured."""
    beside = remove_beside(settings.published)
    zone, is_sample = RawZone(settings.raw), settings.is_sample
    if is_sample:
        _begin_the_sample(settings)
    elif settings.sample_mark.exists():
        # Records of the sample must not be among real ones.
        _remove_the_sample(settings)
    landing = Landing(str(settings.sample) if is_sample else settings.own_landing_url)
    waiting = [] if is_sample else collect(settings.receiver, landing)
    extraction = extract(
        landing,
        zone,
        checksum_cache(settings),
        encoding=settings.encoding,
        memory_limit=settings.memory_limit_of_duckdb,
    )
    unread = extraction.unread
    unread.listed, unread.refused = [*map(printable, unread.listed)], [*map(printable, unread.refused)]
    extraction.notes = [*map(printable, [*beside, *waiting, *extraction.notes])]
    return extraction


def _begin_the_sample(settings: Settings) -> None:
    """Write the sample, and mark the raw zone before the first record of the sample is in it."""
    write_sample(settings.sample, datetime.now(UTC))
    if settings.sample_mark.exists() and not _empty_tables(settings).exists():
        # Its removal was not finished, and the landing folder is gone again.
        _remove_the_sample(settings)
    settings.raw.mkdir(parents=True, exist_ok=True)
    settings.sample_mark.touch()
    flush_to_disk(settings.raw)


def _remove_the_sample(settings: Settings) -> None:
    """Remove the sample's records from the raw zone. The mark is removed last: without it, there are none."""
    with RawZone(settings.raw).incoming() as folder, contextlib.suppress(FileNotFoundError):
        # First, in one step: a zone without these tables is recognised as half removed.
        _empty_tables(settings).rename(folder / "removed")
    for folder in settings.raw.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    flush_to_disk(settings.raw)
    settings.sample_mark.unlink()


def _empty_tables(settings: Settings) -> Path:
    return settings.raw / "batches-0-0"


def check_landing(settings: Settings) -> None:
    """Raise Problem when the landing folder cannot be listed, or when its workspaces.csv is missing or wrong."""
    if settings.is_sample:
        return
    landing = Landing(settings.landing_url)
    if landing.is_local and Path(landing.root).is_file():
        raise Problem(f"The landing folder {landing.url} is not a folder", "Set CONTACT_REPORTS_LANDING to one")
    check_workspaces(landing, landing.list(), settings.encoding)


def find_news(settings: Settings) -> str | None:
    """Why a run is due, in words; None when nothing is new. Reads no file of the landing folder but workspaces.csv.

    Raises Problem when the landing folder cannot be listed, or when its workspaces.csv is missing or wrong.
    """
    if settings.is_sample and write_sample(settings.sample, datetime.now(UTC)):
        return "the sample has grown"
    landing = Landing(settings.landing_url)
    listing = landing.list()
    check_workspaces(landing, listing, settings.encoding)
    if not settings.published.exists():
        return "nothing is published yet"
    if beside := found_beside(settings.published):
        return f"{beside[0]} lies beside the publication"
    if not settings.is_sample and _bodies_wait(settings.receiver):
        return "bodies of webhooks wait"
    try:
        return _files_changed(settings, listing) or _publication_differs(settings)
    except (Problem, OSError, duckdb.Error):
        return "the raw zone or the publication is not as a run left it"  # Which the run mends, or names.


def _files_changed(settings: Settings, listing: Listing) -> str | None:
    # A file that could not be loaded is named until it is replaced; one that is not read, until it is gone.
    unread = read_unread_files(settings.data)
    zone = RawZone(settings.raw)
    with zone.at_rest():
        new = not_loaded(zone, listing.files, checksum_cache(settings), unread.in_vain, settings.encoding)
    if new:
        return f"{new[0].path} is new" + (f", and {len(new) - 1} more" if len(new) > 1 else "")
    gone = set(unread.in_vain).difference(file.path for file in listing.files)
    if gone or sorted(unread.listed) != sorted(map(printable, listing.warnings)):
        return "a file that cannot be read has come or gone"
    return None


def _publication_differs(settings: Settings) -> str | None:
    with RawZone(settings.raw).at_rest():
        todo = plan(settings)
    return None if todo.nothing_to_do else todo.reason


def _bodies_wait(receiver: Path) -> bool:
    """Whether the receiver holds what a run would collect. A folder that cannot be read is for the run to name."""
    try:
        segments = [path for workspace in receiver.iterdir() if workspace.is_dir() for path in workspace.iterdir()]
        return any(path.name.endswith((OPEN, SEALED)) and path.stat().st_size for path in segments)
    except FileNotFoundError:
        return False  # There never was a receiver, or another run has just collected it.
    except OSError:
        return True


def checksum_cache(settings: Settings) -> Path:
    """The file in which a run remembers the checksums of the landing folder."""
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
            # If a rename failed, its target is the path that cannot be written.
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
