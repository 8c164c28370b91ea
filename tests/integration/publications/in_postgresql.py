"""Publishes to a database of the tests, and compares what it holds with the file, row by row."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
from psycopg2.extensions import connection as Connection
from pydantic import SecretStr

from orchestration.lib.settings import Settings
from publications.interface import Published
from publications.postgres.catalog import read_catalog
from publications.postgres.publication import PostgresPublication

Row = tuple[Any, ...]


def publication(address: str) -> PostgresPublication:
    return PostgresPublication(SecretStr(address), Settings())  # type: ignore[call-arg]


def publish(address: str, file: Path) -> Published:
    return publication(address).publish(file)


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """A connection that commits each statement, in UTC."""
    with closing(psycopg2.connect(address, options="-c timezone=UTC")) as connection:
        connection.autocommit = True
        yield connection


def query(address: str, sql: str, arguments: Mapping[str, object] | Sequence[object] | None = None) -> list[Row]:
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall() if cursor.description else []


def rows_of_the_file(file: Path, sql: str) -> list[Row]:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def assert_equal(address: str, file: Path) -> None:
    """Each table of PostgreSQL has the rows of the file, as text of either engine's own making, and its columns."""
    tables = read_catalog(file).tables
    assert tables
    found = query(
        address,
        "select table_schema || '.' || table_name, string_agg(column_name, ', ' order by column_name) "
        "from information_schema.columns inner join information_schema.tables using (table_schema, table_name) "
        "where table_schema in ('reports', 'quality') and table_type = 'BASE TABLE' group by 1",
    )
    assert dict(found) == {table.name: ", ".join(sorted(column.name for column in table.columns)) for table in tables}
    for table in tables:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        in_file = rows_of_the_file(file, f"select {names} from ({table.rows})")
        in_postgresql = query(address, f"select {names} from {table.sql}")
        assert Counter(map(_comparable, in_postgresql)) == Counter(map(_comparable, in_file)), table.name


def _comparable(row: Row) -> str:
    # Instants compare by their moment, whatever the library that made the zone.
    return repr([value.timestamp() if getattr(value, "tzinfo", None) else value for value in row])
