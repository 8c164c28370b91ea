"""Compares PostgreSQL with the file: the checksums of all tables, and these with the rows that are really there."""

import random
from collections.abc import Sequence

from orchestration.lib.sql import sql_text
from publications.postgres import checksums
from publications.postgres.checksums import PRIVATE
from publications.postgres.connection import Session
from publications.postgres.tables import Table
from publications.postgres.writing import in_part

# What is read back at a time: a smaller publication completely; of a larger one, what was written last and as many
# other parts, drawn anew each time.
_ROWS = 300_000


def differences(session: Session, tables: Sequence[Table], totals: dict[str, tuple[int, int]]) -> list[str]:
    """What differs, one line for each table. What is found to be edited is noted, for the next publication to mend."""
    if not session.query(f"select 1 as found where to_regclass('{PRIVATE}.checksums') is not null"):
        return ["Nothing was published to PostgreSQL yet"]
    held = {
        name: (int(rows), int(checksum))
        for name, rows, checksum in session.query(
            f"""select table_name, sum(row_count)::text as row_count, sum(checksum)::text as checksum
            from {PRIVATE}.checksums group by 1"""
        )
    }
    found = []
    for table in tables:
        of_file, of_postgresql = totals.get(table.name, (0, 0)), held.get(table.name, (0, 0))
        if of_file != of_postgresql:
            found.append(
                f"{table.name} has {of_postgresql[0]} rows and not the {of_file[0]} of the file, or other ones"
            )
    share = max(1, sum(rows for rows, _ in held.values()) // _ROWS)
    seed = random.randrange(1 << 30)
    for table in tables:
        number = _edited_parts(session, table, share, seed)
        if number:
            session.execute(f"insert into {PRIVATE}.touched values ({sql_text(table.name)})")
            found.append(
                f"{table.name} has {number} parts with rows that were not published. The next publication mends them"
            )
    return found


def _edited_parts(session: Session, table: Table, share: int, seed: int) -> int:
    """How many parts do not have the rows that their checksum says."""
    of_table = f"c.table_name = {sql_text(table.name)}"
    drawn, read = of_table, ""
    if share > 1:
        part = "c.workspace_id, c.day, c.bucket"
        ((written,),) = session.query(
            f"select count(*)::bigint as written from {PRIVATE}.changed as c where {of_table}"
        )
        drawn += f" and ((hashtext(concat_ws('/', {part}, {seed}))::bigint + 2147483648) % {share} = 0"
        # After a first publication everything was written last.
        drawn += f" or (c.table_name, {part}) in (table {PRIVATE}.changed))" if written < _ROWS // 100 else ")"
        read = f"inner join {PRIVATE}.checksums as c on {in_part(table)} and {drawn}"
    stored = session.rows_of(
        f"select table_name, workspace_id, day, bucket, row_count, checksum from {PRIVATE}.checksums as c where {drawn}"
    )
    rows = checksums.read_back_rows(session, table, read)
    ((edited,),) = session.run(
        f"""select count(*) from ({checksums.checksums(table, rows)}) as held
        full join (from {stored}) as stored using (table_name, workspace_id, day, bucket)
        where held.checksum is distinct from stored.checksum or held.row_count is distinct from stored.row_count"""
    )
    return int(edited)
