"""What the file holds and what PostgreSQL holds: rows and a checksum for each part of each table.

The checksum is DuckDB's hash of the rows, whether they come from the file or back from PostgreSQL: one formula.
PostgreSQL keeps the checksums of what was published. They are believed as long as nothing else wrote to the table: a
trigger notes each statement that does. A table that was noted, restored, or checked by another formula is read back.
Reading back everything each time would need no trigger, and take longer than all the rest at ten million events.
"""

from collections.abc import Sequence

import duckdb

from orchestration.lib.sql import sql_name, sql_text
from publications.postgres.connection import Session
from publications.postgres.tables import PART, Table, text_of

# The schema of what a publication knows of itself. Readers have no tables there.
PRIVATE = "contact_reports"
_COLUMNS = "table_name text not null, workspace_id text not null, day date not null, bucket bigint not null"
BOOKKEEPING = {
    "checksums": (
        f"{_COLUMNS}, row_count bigint not null, checksum bigint not null,"
        " primary key (table_name, workspace_id, day, bucket)"
    ),
    # The parts that the last publication replaced.
    "changed": _COLUMNS,
    # Where the rows are that the publication deletes from a table: their `ctid`, which lasts for a transaction.
    "gone": "place text not null",
    # The tables that statements wrote to since.
    "touched": "table_name text not null",
    # The tables whose checksums are known, as they were then.
    "tables": "table_name text primary key, table_oid oid not null, formula text not null",
    # When the last publication ended. A database that was restored has another one.
    "published": "at timestamptz not null",
    "definitions": "kind text, name text, statement text not null, shown text, primary key (kind, name)",
}
CHECKSUMS = f"{PRIVATE}.checksums"
_PART = ", ".join(("table_name", *PART))


def formula(table: Table) -> str:
    """What checksums depend on besides rows. DuckDB may change its hash with a version."""
    return f"{duckdb.__version__}: {table.rows} by {list(table.part.values())}"


def read_file(session: Session, tables: Sequence[Table]) -> None:
    """Make `file_parts` of what the file holds."""
    _create(session, "file_parts")
    for table in tables:
        session.run(f"insert into temp.file_parts {checksums(table, table.rows)}")


def read_held(session: Session, tables: Sequence[Table]) -> set[str]:
    """Make `held_parts` of what PostgreSQL holds. Returns the names of the tables that were read back."""
    _create(session, "held_parts")
    by_name = {table.name: table for table in tables}
    believed = {
        name
        for name, known in session.query(
            f"""select table_name, formula from {PRIVATE}.tables
            where table_oid = to_regclass(table_name) and not exists (
                select from {PRIVATE}.touched where touched.table_name in (tables.table_name, '{CHECKSUMS}')
            )"""
        )
        if name in by_name and known == formula(by_name[name])
    }
    stored = session.rows_of(f"select {_PART}, row_count, checksum from {PRIVATE}.checksums")
    session.run(f"insert into temp.held_parts from {stored} where list_contains($1, table_name)", [sorted(believed)])
    read_back = set(by_name) - believed
    for name in read_back:
        session.run(f"insert into temp.held_parts {checksums(by_name[name], read_back_rows(session, by_name[name]))}")
    return read_back


def read_back_rows(session: Session, table: Table, condition: str = "", with_place: bool = False) -> str:
    """A query of DuckDB: the rows that PostgreSQL has, in the types of the file, and where each is if that is asked."""
    columns = ", ".join("t." + sql_name(column.name) for column in table.columns)
    place = ", t.ctid::text as place" if with_place else ""
    query = f"select {columns}{place} from {table.sql} t {condition}"
    values = ", ".join(
        f"cast({sql_name(column.name)} as {'varchar' if column.type == 'text' else column.file_type}) as "
        f"{sql_name(column.name)}"
        for column in table.columns
    )
    return f"select {values}{', place' if with_place else ''} from {session.rows_of(query)}"


def compare(session: Session) -> dict[str, int]:
    """Make `changed_parts` of what differs. Returns how many rows PostgreSQL holds of them, by table."""
    session.run(
        f"""
        create or replace temp table changed_parts as
        select {_PART}, coalesce(held.row_count, 0) as held_rows
        from temp.held_parts as held full join temp.file_parts as file using ({_PART})
        where held.checksum is distinct from file.checksum or held.row_count is distinct from file.row_count"""
    )
    found = session.run("select table_name, sum(held_rows) from temp.changed_parts group by all order by all")
    return {name: int(held_rows) for name, held_rows in found}


def totals(session: Session) -> dict[str, tuple[int, int]]:
    """Rows and checksum of each table of the file that has rows."""
    found = session.run(
        "select table_name, sum(row_count), sum(checksum) from temp.file_parts group by all order by all"
    )
    return {name: (int(rows), int(checksum)) for name, rows, checksum in found}


def checksums(table: Table, rows: str) -> str:
    """The parts of a query's rows, each with its number of rows and its checksum."""
    parts = ", ".join(f"{text_of(table.part, name)} as {name}" for name in PART)
    # The sum is the same in any order. It is cut to what a bigint holds. A table that is one part would have a row of
    # nothing where no row is read.
    return f"""
        select
            {sql_text(table.name)} as table_name, {parts}, count(*) as row_count,
            cast(sum(hash({table.names})) % 9223372036854775807 as bigint) as checksum
        from ({rows}) group by all having count(*) > 0"""


def _create(session: Session, name: str) -> None:
    session.run(
        f"""create or replace temp table {name} (table_name varchar, workspace_id varchar, day date, bucket bigint,
        row_count bigint, checksum bigint)"""
    )
