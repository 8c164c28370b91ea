"""How the rows of a table are divided among files, and a checksum of each file's rows.

A chunk is a workspace's rows of a month, of a year, or all of them: the larger, the fewer rows there are. So a run that
brings a day writes the chunks of that day's month, and small workspaces have few files.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.lib.sql import sql_name, sql_text
from publications.lake.tables import WORKSPACE, Table

# A file of so many rows is written in half a second, and has some 4 MB.
ROWS_TOGETHER = 100_000

# With more of them, the rows of a view are computed beforehand.
_CHUNKS_OF_A_VIEW = 3

_PARQUET = "(format parquet, compression zstd)"
_UNSIGNED_64_BITS = 1 << 64


@dataclass(frozen=True)
class Chunk:
    """Rows of a table that are one file. Equal chunks have equal rows."""

    workspace_id: str | None
    period: str  # all, 2026, 2026-03, undated
    rows: int
    checksum: str
    first: date | None = None
    last: date | None = None


def chunks_of(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Chunk]:
    """The chunks of a table of the published file, computed in one pass over it."""
    workspace = f"{WORKSPACE}::varchar" if table.partitioned_by else "null::varchar"
    query = f"""
        with months as (
            select {workspace} as workspace, date_trunc('month', {table.day}) as month_start, count(*) as months_rows,
                {_checksum(table)} as checksum, min({table.day}) as first_day, max({table.day}) as last_day
            from (select {_columns(table)} from {table.source})
            group by all
        ), periods as (
            select *, case
                    when sum(months_rows) over (partition by workspace) <= $1 then 'all'
                    when month_start is null then 'undated'
                    when sum(months_rows) over (partition by workspace, year(month_start)) <= $1
                        then year(month_start)::varchar
                    else strftime(month_start, '%Y-%m')
                end as period
            from months
        )
        select workspace, period, sum(months_rows)::bigint, sum(checksum), min(first_day), max(last_day)
        from periods group by all order by all
    """
    return [
        Chunk(workspace_id, period, rows, f"{checksum % _UNSIGNED_64_BITS:016x}", first, last)
        for workspace_id, period, rows, checksum, first, last in connection.execute(query, [ROWS_TOGETHER]).fetchall()
    ]


@contextmanager
def rows_at_hand(connection: duckdb.DuckDBPyConnection, table: Table, chunks: int) -> Iterator[str]:
    """A relation with the columns of the lake, to write so many chunks from.

    A view is computed once and not for each chunk: of 10 million events, the 125 chunks of `dim_contact` took 250 s.
    """
    rows = f"select {_columns(table)} from {table.source}"
    if not table.is_view or chunks <= _CHUNKS_OF_A_VIEW:
        yield f"({rows})"
        return
    connection.execute(f"create temp table at_hand as {rows}")
    try:
        yield "at_hand"
    finally:
        connection.execute("drop table at_hand")


def write_chunk(connection: duckdb.DuckDBPyConnection, table: Table, rows: str, chunk: Chunk, path: str) -> None:
    """Write a chunk as a Parquet file, without the column of the partition, which the log of the table has."""
    conditions = []
    if table.partitioned_by:
        conditions.append(
            f"{WORKSPACE} = {sql_text(chunk.workspace_id)}"
            if chunk.workspace_id is not None
            else f"{WORKSPACE} is null"
        )
    if chunk.period == "undated":
        conditions.append(f"{table.day} is null")
    elif chunk.period != "all":
        conditions.append(f"{table.day} between {sql_text(str(chunk.first))} and {sql_text(str(chunk.last))}")
    columns = f"* exclude ({WORKSPACE})" if table.partitioned_by else "*"
    query = f"select {columns} from {rows} where {' and '.join(conditions) or 'true'}"
    connection.execute(f"copy ({query}) to {sql_text(path)} {_PARQUET}")


def sums(connection: duckdb.DuckDBPyConnection, table: Table, relation: str) -> dict[str | None, tuple[int, str]]:
    """By workspace: the number of rows, and the checksum, of a relation with the columns of a table."""
    workspace = WORKSPACE if table.partitioned_by else "null::varchar"
    rows = connection.execute(
        f"select {workspace}, count(*), {_checksum(table)} from {relation} group by all"
    ).fetchall()
    return {
        workspace_id: (count, f"{checksum % _UNSIGNED_64_BITS:016x}") for workspace_id, count, checksum in rows if count
    }


def sums_of_chunks(chunks: list[Chunk]) -> dict[str | None, tuple[int, str]]:
    """The same, of chunks."""
    found: dict[str | None, tuple[int, int]] = {}
    for chunk in chunks:
        rows, checksum = found.get(chunk.workspace_id, (0, 0))
        found[chunk.workspace_id] = (rows + chunk.rows, checksum + int(chunk.checksum, 16))
    return {workspace: (rows, f"{checksum % _UNSIGNED_64_BITS:016x}") for workspace, (rows, checksum) in found.items()}


def _checksum(table: Table) -> str:
    """Whatever the order of the rows. Each row counts, so that equal rows do not cancel each other."""
    return f"sum(hash({', '.join(sql_name(column.name) for column in table.columns)})::hugeint)"


def _columns(table: Table) -> str:
    return ", ".join(f"{column.sql} as {sql_name(column.name)}" for column in table.columns)
