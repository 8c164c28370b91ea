"""Opens PostgreSQL and the published file in one session of DuckDB, with the lock that only one publisher has."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import psycopg2

from orchestration.lib.problems import Problem
from orchestration.lib.settings import DATABASE_NAME
from orchestration.lib.sql import sql_text
from orchestration.lib.warehouse.published import attach_published
from publications.postgres.address import Address
from publications.postgres.problems import explained

Rows = list[tuple[Any, ...]]

# DuckDB's extension writes in PostgreSQL's binary format: 63,000 rows a second where psycopg's COPY did 26,000.
_EXTENSION = (
    files("duckdb_extension_postgres_scanner")
    / "extensions"
    / f"v{duckdb.__version__}"
    / "postgres_scanner.duckdb_extension"
)
_LOCK = "hashtextextended('contact_reports publisher', 0)"
# `normalize` came with 13.
_OLDEST = 130000
_THREADS = 2
_LOCK_TIMEOUT = "30s"


class Session:
    """The published file as the database `contact_reports`, and PostgreSQL as `pg`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """A statement of DuckDB, on the file, on its own tables, and on those of PostgreSQL."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def execute(self, sql: str) -> None:
        """A statement of PostgreSQL, without rows."""
        self._connection.execute("call postgres_execute('pg', ?)", [sql])

    def query(self, sql: str) -> Rows:
        """The rows of a query that PostgreSQL runs."""
        return self.run(f"from {self.rows_of(sql)}")

    @staticmethod
    def rows_of(sql: str) -> str:
        """A query that PostgreSQL runs, as a table for a statement of DuckDB.

        DuckDB never looks PostgreSQL's tables up before they are made: it would not see them in this transaction.
        """
        return f"postgres_query('pg', {sql_text(sql)})"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction of PostgreSQL. It sees what was committed before its first statement."""
        self._connection.execute("begin")
        try:
            # Readers queue behind a lock that waits. A server may end sessions that think for long. Indexes of ten
            # million rows do not fit into the usual 64 MB.
            for setting in (
                f"lock_timeout = {sql_text(_LOCK_TIMEOUT)}",
                "statement_timeout = 0",
                "idle_in_transaction_session_timeout = 0",
                "maintenance_work_mem = '256MB'",
            ):
                self.execute(f"set local {setting}")
            yield
        except BaseException:
            # A connection that is gone cannot roll back, and needs not.
            with suppress(duckdb.Error):
                self._connection.execute("rollback")
            raise
        self._connection.execute("commit")


@contextmanager
def opened(address: Address, file: Path, memory_limit: str) -> Iterator[Session]:
    """A session. Raises Problem when PostgreSQL cannot be reached or does not fit, and for what it refuses later."""
    with (
        explained(address),
        tempfile.TemporaryDirectory(prefix="contact-reports-") as spill,
        duckdb.connect(
            config={"threads": _THREADS, "memory_limit": memory_limit, "temp_directory": spill}
        ) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"load {sql_text(str(_EXTENSION))}")
        connection.execute(f"attach {sql_text(address.dsn)} as pg (type postgres)")
        attach_published(connection, file)
        connection.execute(f"use {DATABASE_NAME}")
        yield Session(connection)


@contextmanager
def only_publisher(address: Address) -> Iterator[None]:
    """Hold the lock of the publisher, and check the server. Raises Problem when another one has it.

    The lock belongs to a connection of its own: it has to be held before the transaction begins to see things. It is
    gone with the process, however that ends.
    """
    with explained(address), closing(psycopg2.connect(address.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "select current_setting('server_version_num')::int, current_setting('server_encoding'),"
                f" pg_is_in_recovery(), current_setting('server_version'), pg_try_advisory_lock({_LOCK})"
            )
            row = cursor.fetchone()
            assert row is not None
            number, encoding, is_standby, version, is_mine = row
        if number < _OLDEST:
            raise Problem(f"PostgreSQL at {address.target} is {version}", "Publish to PostgreSQL 13 or later")
        if encoding != "UTF8":
            raise Problem(
                f"The database at {address.target} has the encoding {encoding}",
                "Create one with `create database … encoding 'UTF8' template template0`",
            )
        if is_standby:
            raise Problem(
                f"PostgreSQL at {address.target} is a standby, which cannot be written",
                "Set CONTACT_REPORTS_POSTGRES to the address of the primary server",
            )
        if not is_mine:
            raise Problem(
                f"Another publisher writes to PostgreSQL at {address.target}",
                "Wait until it has ended. Only one data folder may publish to a database",
                is_transient=True,
            )
        yield
