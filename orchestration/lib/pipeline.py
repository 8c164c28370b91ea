"""The steps of a run as plain functions, and what an error in one of them means to an operator."""

import shutil
import sqlite3
from datetime import UTC, datetime

import duckdb

from orchestration.lib.extract import Extraction, extract
from orchestration.lib.landing import Landing
from orchestration.lib.problems import Problem, disk_is_full, first_line, says_disk_is_full
from orchestration.lib.raw_zone import RawZone
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.sample import write_sample
from orchestration.lib.settings import Settings

_SAMPLE_MARK = "is_sample"


def load_landing(settings: Settings) -> Extraction:
    """Extract what is new in the landing folder, webhooks included; in the sample's when nothing is configured."""
    zone = RawZone(settings.raw)
    mark = zone.path / _SAMPLE_MARK
    if mark.exists() and not settings.is_sample:
        # What the sample left can be generated again, and has no place among real records.
        shutil.rmtree(zone.path)
    if settings.is_sample:
        write_sample(settings.sample, datetime.now(UTC))
        if not zone.path.exists():
            zone.path.mkdir(parents=True)
            mark.touch()
    landing = Landing(settings.landing_url)
    waiting = [] if settings.is_sample else collect(settings.receiver, landing)
    extraction = extract(landing, zone, settings.data / "cache" / "landing_checksums.json")
    extraction.warnings[:0] = waiting
    return extraction


def explain(error: BaseException, settings: Settings) -> Problem | None:
    """The problem behind an error of the machine; None when the error is ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, duckdb.OutOfMemoryException) and "No space left" not in str(error):
        return Problem(
            f"DuckDB has not enough memory ({first_line(error)})",
            "Give the machine more memory, or free disk space below the data folder, where it spills to",
        )
    # What Dagster cannot write into its SQLite files comes wrapped by the library in between.
    origin = error.__cause__ if isinstance(error.__cause__, sqlite3.Error) else error
    if isinstance(origin, OSError | duckdb.Error | sqlite3.Error) and says_disk_is_full(str(origin)):
        return disk_is_full(settings.data, first_line(origin))
    if isinstance(error, PermissionError):
        return Problem(
            f"{error.filename} cannot be written or read: {error.strerror}",
            "Give the user who runs the pipeline permission to the data folder",
        )
    if isinstance(error, duckdb.Error) and str(settings.raw) in str(error):
        return Problem(
            f"The raw zone is damaged: {first_line(error)}",
            "Restore the named file from a backup and run again",
        )
    return None
