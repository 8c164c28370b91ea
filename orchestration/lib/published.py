"""How our own readers open the published file."""

from pathlib import Path

import duckdb


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """The published file, for reading only, in UTC; no statement on it can reach a file, the network or an extension.

    Raises duckdb.IOException when there is none.
    """
    connection = duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false"})
    connection.execute("set TimeZone = 'UTC'")
    return connection
