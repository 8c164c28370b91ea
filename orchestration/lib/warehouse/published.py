"""Opens the published file safely, and finds what other programs leave beside it."""

import errno
import fcntl
import os
import shutil
from pathlib import Path

import duckdb

from orchestration.lib.problems import Problem
from orchestration.lib.settings import DATABASE_NAME
from orchestration.lib.sql import sql_text

# What DuckDB keeps beside a file that it writes into. Every reader replays it over whatever file has the name by then.
# Not `.tmp`: that is where a reader spills to.
_WRITTEN_BESIDE = (".wal", ".wal.checkpoint", ".wal.recovery")


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """The published file, for reading only, in UTC; no statement on it can reach a file, the network or an extension.

    Raises duckdb.IOException when there is none.
    """
    # Attached, as DuckDB keeps a file that it was connected to for others who connect to it in this process.
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    attach_published(connection, path)
    connection.execute(f"use {DATABASE_NAME}")
    return connection


def attach_published(connection: duckdb.DuckDBPyConnection, path: Path, name: str = DATABASE_NAME) -> None:
    """Attach the published file under a name; no later statement of the connection can reach a file, or change that.

    Functions of an attached file do not take the place of DuckDB's own. Raises duckdb.Error when it cannot be read.
    """
    connection.execute(f"attach {sql_text(path)} as {name} (read_only)")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def found_beside(published: Path) -> list[Path]:
    """What a program left that wrote into the published file and was ended: readers see what it wrote."""
    beside = (published.with_name(published.name + suffix) for suffix in _WRITTEN_BESIDE)
    return [path for path in beside if os.path.lexists(path)]


def remove_beside(published: Path) -> list[str]:
    """Remove what another program left beside the published file. Returns a warning for each file.

    Raises Problem when that program still runs.
    """
    found = found_beside(published)
    if found:
        require_no_writer(published)
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return [
        f"{path} was removed: a program wrote into the published file and was ended, and readers saw what it wrote. "
        "Open the published file read-only"
        for path in found
    ]


def require_no_writer(published: Path) -> None:
    """Raise Problem when another program has the published file open for writing."""
    if not published.exists():
        return
    with published.open("rb") as file:
        try:
            # DuckDB's own lock. A reader's is free unless a writer has its.
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            # Any other error is of a file system without locks, where DuckDB has none either.
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise has_a_writer(published) from None


def has_a_writer(published: Path) -> Problem:
    """The problem that another program may write into the published file at any moment."""
    return Problem(
        f"{published} is open for writing in another program",
        "Open the published file read-only (read_only=True, access_mode=READ_ONLY) and close that program",
    )
