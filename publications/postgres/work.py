"""One publication to PostgreSQL, and its check, in the process that calls."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg2

from orchestration.lib.problems import Problem
from publications.interface import Published
from publications.postgres import checking, checksums
from publications.postgres.address import Address
from publications.postgres.catalog import Catalog, read_catalog
from publications.postgres.checksums import PRIVATE
from publications.postgres.connection import Session, only_publisher, opened
from publications.postgres.problems import explained
from publications.postgres.roles import let_readers_in
from publications.postgres.schema import complete, prepare
from publications.postgres.tables import Table
from publications.postgres.writing import keep_checksums, note_the_end, replace_parts

# When the last publication ended, how many tables others wrote to since, and how many of ours are missing.
_STATE = f"""
    select concat_ws(' ',
        (select extract(epoch from max(at)) from {PRIVATE}.published),
        (select count(distinct table_name) from {PRIVATE}.touched),
        (select count(*) from {PRIVATE}.tables where to_regclass(table_name) is null),
        (select count(*) from {PRIVATE}.definitions where case kind
            when 'function' then to_regproc(name) is null
            when 'index' then to_regclass(name) is null
            when 'view' then to_regclass(name) is null
        end)
    )"""

# Rows and checksum of each table of a file.
Totals = dict[str, tuple[int, int]]


def publish(address: Address, memory_limit: str, file: Path) -> tuple[Published, Totals]:
    """Make PostgreSQL equal to the file. Readers see the old publication until the transaction is committed."""
    identity = identity_of(file)
    with explained(address), only_publisher(address), opened(address, file, memory_limit) as session:
        catalog = _catalog(file, identity)
        tables = catalog.tables
        # Before the transaction: it takes longest, and PostgreSQL has nothing to do with it.
        totals = _read_file(session, tables)
        with session.transaction():
            prepare(session, tables)
            read_back = checksums.read_held(session, tables)
            changes = checksums.compare(session)
            moved = replace_parts(session, tables, changes) if changes or read_back else 0
            complete(session, catalog)
            if changes or read_back:
                keep_checksums(session, tables, read_back)
            notes = let_readers_in(session)
            note_the_end(session)
            # In the transaction: what others write from now on makes it another one.
            ((held,),) = session.query(_STATE)
    rows = {table.name: totals.get(table.name, (0, 0))[0] for table in tables}
    return Published(rows, moved, held, tuple(notes)), totals


def differences(address: Address, memory_limit: str, file: Path, totals: Totals | None = None) -> list[str]:
    """What differs from the file, whose totals may be known. Rows are read back, as far as `checking` says."""
    identity = identity_of(file)
    with explained(address), opened(address, file, memory_limit) as session:
        tables = _catalog(file, identity).tables
        if totals is None:
            totals = _read_file(session, tables)
        with session.transaction():
            return checking.differences(session, tables, totals)


def state(address: Address) -> str:
    """What `_STATE` says. Empty if nothing was published."""
    with explained(address), closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"select to_regclass('{PRIVATE}.published') is not null and to_regclass('{PRIVATE}.touched') is not null"
        )
        if cursor.fetchone() == (False,):
            return ""
        cursor.execute(_STATE)
        ((found,),) = cursor.fetchall()
    return str(found)


def identity_of(file: Path) -> object:
    """What tells a file from another one at its path."""
    status = file.stat()
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _catalog(file: Path, identity: object) -> Catalog:
    """The catalog of the file that the session has open. Raises Problem when another one is there by now."""
    catalog = read_catalog(file)
    if identity_of(file) != identity:
        raise Problem(f"{file} was replaced while it was opened", "The next run publishes it", is_transient=True)
    return catalog


def _read_file(session: Session, tables: Sequence[Table]) -> Totals:
    checksums.read_file(session, tables)
    return checksums.totals(session)
