"""Whether the contestants made the same: the rows of each table, counted, and the sum of their hashes."""

from pathlib import Path

import duckdb

REPORTS = (
    "contacts_overview",
    "contacts_added_by_source",
    "contacts_connected_by_channel",
    "contacts_added_log",
    "contacts_connected_log",
    "contacts_deleted_log",
    "contacts_merged_log",
    "sources",
    "users",
    "channels",
    "workspaces",
    "data_status",
)
QUALITY = ("rejected_records", "superseded_events", "load_balance")
# As the hand-written script calls them.
TABLES = (*(f"reports.{name}" for name in REPORTS), *(f"quality.{name}" for name in QUALITY), "main.contacts")

# Of each table: its columns with their types, but those that say when a file was loaded.
_Columns = dict[str, dict[str, str]]


def require_the_same(handwritten: Path, pipeline: Path, pandas: Path | None = None) -> None:
    """Compare what the pipeline published, and the folder of the pandas script, with the hand-written script's file.

    Raises RuntimeError naming the first table that differs; what says when a file was loaded may.
    """
    with duckdb.connect(str(handwritten), read_only=True) as connection:
        columns = {table: _columns(connection, table) for table in TABLES}
        expected = {table: _fingerprint(connection, table, columns[table]) for table in TABLES}
    with duckdb.connect(str(pipeline), read_only=True) as connection:
        for table in TABLES:
            relation = table.replace("main.contacts", "marts.dim_contact")
            _compare("pipeline", table, _fingerprint(connection, relation, columns[table]), expected[table])
    if pandas:
        with duckdb.connect() as connection:
            for table in TABLES:
                file = pandas / f"{table.replace('main.', '').replace('.', '/')}.parquet"
                relation = f"read_parquet('{file}')"
                _compare("pandas", table, _fingerprint(connection, relation, columns[table]), expected[table])


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    described = connection.execute(f"describe {table}").fetchall()
    return {
        name: "VARCHAR" if kind.startswith("ENUM") else kind
        for name, kind, *_ in described
        if not name.endswith("loaded_at")
    }


def _fingerprint(connection: duckdb.DuckDBPyConnection, relation: str, columns: dict[str, str]) -> tuple[int, int]:
    connection.execute("set TimeZone = 'UTC'")
    values = ", ".join(f"{name}::{kind}" for name, kind in columns.items())
    (row,) = connection.execute(f"select count(*), sum(hash({values})) from {relation}").fetchall()
    return row


def _compare(contestant: str, table: str, made: tuple[int, int], expected: tuple[int, int]) -> None:
    if made != expected:
        raise RuntimeError(
            f"{table}: {contestant} made {made[0]:,} rows, the hand-written script {expected[0]:,}"
            + (", and others" if made[0] == expected[0] else "")
        )
