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


def require_the_same(handwritten: Path, pipeline: Path | None, pandas: Path | None) -> None:
    """Compare what the pipeline published, and the folder of the pandas script, with the hand-written script's file.

    What says when a file was loaded is left aside. Raises RuntimeError naming the first table that differs.
    """
    with duckdb.connect(str(handwritten), read_only=True) as connection:
        columns = {table: _columns(connection, table) for table in TABLES}
        expected = {table: _fingerprint(connection, table, columns[table]) for table in TABLES}
    if pipeline:
        with duckdb.connect(str(pipeline), read_only=True) as connection:
            for table in TABLES:
                # The scripts count no rows of directories.
                relation = {
                    "main.contacts": "marts.dim_contact",
                    "quality.load_balance": "(from quality.load_balance where route = 'events')",
                }.get(table, table)
                _compare("pipeline", table, _fingerprint(connection, relation, columns[table]), expected[table])
    if pandas:
        with duckdb.connect() as connection:
            for table in TABLES:
                relation = f"read_parquet('{pandas / table.removeprefix('main.').replace('.', '/')}.parquet')"
                _compare("pandas script", table, _fingerprint(connection, relation, columns[table]), expected[table])


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The columns with their types."""
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
        rows = f"{made[0]:,} rows, not {expected[0]:,}" if made[0] != expected[0] else "other values"
        raise RuntimeError(f"{table}: the {contestant} made {rows}; the hand-written script is the measure")
