"""Writes what differs: in the parts that changed, rows that the file does not have are deleted, and others written."""

from collections.abc import Sequence

from orchestration.lib.sql import sql_name, sql_text
from publications.postgres.checksums import PRIVATE, formula, read_back_rows
from publications.postgres.connection import Session
from publications.postgres.tables import PART, Table, text_of


def replace_parts(session: Session, tables: Sequence[Table], held: dict[str, int]) -> int:
    """Write what `changed_parts` says, of which PostgreSQL holds so many rows. Returns how many rows went and came.

    Rows are written into their table at once. Other sessions see them when the transaction is committed.
    """
    # Not truncated: a backup by pg_dump would keep it waiting.
    session.execute(f"delete from {PRIVATE}.changed")
    columns = ("table_name", *PART)
    _insert(session, PRIVATE, "changed", columns, f"select {', '.join(columns)} from temp.changed_parts")
    session.execute(f"analyze {PRIVATE}.changed")
    return sum(_replace(session, table, held[table.name]) for table in tables if table.name in held)


def _replace(session: Session, table: Table, held_rows: int) -> int:
    columns = [column.name for column in table.columns]
    rows = table.rows_in(f"select {', '.join(PART)} from temp.changed_parts where table_name = {sql_text(table.name)}")
    if not held_rows:
        return _insert(session, table.schema, table.table, columns, rows)
    # Most rows of a part that changed are as they were. Of 10,000 new events on ten million, writing whole parts moved
    # 378,000 rows. `copy` tells rows that are equal.
    copy = f"row_number() over (partition by hash({table.names})) as copy"
    session.run(
        f"create or replace temp table file_rows as select *, hash({table.names}) as row_hash, {copy} from ({rows})"
    )
    held = read_back_rows(session, table, f"inner join {PRIVATE}.changed as c on {in_part(table)}", with_place=True)
    session.run(
        f"create or replace temp table held_rows as select place, hash({table.names}) as row_hash, {copy} from ({held})"
    )
    session.execute(f"delete from {PRIVATE}.gone")
    places = "select place from temp.held_rows anti join temp.file_rows using (row_hash, copy)"
    deleted = _insert(session, PRIVATE, "gone", ["place"], places)
    session.execute(f"analyze {PRIVATE}.gone")
    # Rows are deleted before any is written, so that a key may move to another part.
    session.execute(f"delete from {table.sql} as t using {PRIVATE}.gone as g where t.ctid = g.place::tid")
    rows = f"select {table.names} from temp.file_rows anti join temp.held_rows using (row_hash, copy)"
    return deleted + _insert(session, table.schema, table.table, columns, rows)


def keep_checksums(session: Session, tables: Sequence[Table], read_back: set[str]) -> None:
    """Note what PostgreSQL holds now. The stored checksums of tables that were read back are all written again."""
    again = ", ".join(map(sql_text, sorted(read_back))) or "null"
    session.execute(
        f"""delete from {PRIVATE}.checksums as t using {PRIVATE}.changed as c
        where (t.table_name, t.workspace_id, t.day, t.bucket) = (c.table_name, c.workspace_id, c.day, c.bucket)"""
    )
    session.execute(f"delete from {PRIVATE}.checksums where table_name in ({again})")
    columns = ("table_name", *PART, "row_count", "checksum")
    _insert(
        session,
        PRIVATE,
        "checksums",
        columns,
        f"""select {", ".join(columns)} from temp.file_parts where table_name in ({again})
        or exists (
            select 1 from temp.changed_parts as c
            where (c.table_name, c.workspace_id, c.day, c.bucket)
                = (file_parts.table_name, file_parts.workspace_id, file_parts.day, file_parts.bucket)
        )""",
    )
    session.execute(f"delete from {PRIVATE}.tables where table_name in ({again})")
    for table in tables:
        if table.name in read_back:
            session.execute(
                f"insert into {PRIVATE}.tables values"
                f" ({sql_text(table.name)}, to_regclass({sql_text(table.name)}), {sql_text(formula(table))})"
            )
    # What other sessions note now is not seen here, and stays.
    session.execute(f"delete from {PRIVATE}.touched")


def note_the_end(session: Session) -> None:
    """Note when the publication ended."""
    session.execute(f"delete from {PRIVATE}.published; insert into {PRIVATE}.published values (now())")


def in_part(table: Table) -> str:
    """In PostgreSQL's SQL: whether a row of `t` belongs to a part `c`. An index begins with these columns."""
    same = [f"c.{name} = {text_of(table.part, name, 't')}" for name in table.part]
    return " and ".join([f"c.table_name = {sql_text(table.name)}", *same])


def _insert(session: Session, schema: str, table: str, columns: Sequence[str], rows: str) -> int:
    """Returns how many rows were written."""
    names = ", ".join(sql_name(name) for name in columns)
    ((count,),) = session.run(f"insert into {sql_name('pg', schema, table)} ({names}) {rows}")
    return int(count)
