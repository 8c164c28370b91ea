"""Writes the masked copy: a new file of the same tables, views and functions, that replaces the old one in one step."""

import csv
import hashlib
import hmac
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.lib.folders import flush_to_disk
from orchestration.lib.problems import Problem
from orchestration.lib.settings import DATABASE_NAME, Settings, guard
from orchestration.lib.sql import sql_name, sql_text
from orchestration.lib.warehouse.published import attach_published, remove_beside, require_no_writer
from publications.interface import Published
from publications.masked.pseudonyms import EXPRESSIONS, define_pseudonyms

_SOURCE = "source"
# Schemas that people query. Of the others only the tables that these need are copied.
_PUBLIC = ("reports", "quality", "marts")
_RULES = "seeds"

# In the published file this view reads the raw zone, which has the records as they landed.
_LANDED_RECORDS = f"""
create view {DATABASE_NAME}.staging.stg_landed_records as
select file_id, source_line, '(masked)' as raw_record from {DATABASE_NAME}.marts.fct_contact_events
union all
select file_id, source_line, '(masked)' from {DATABASE_NAME}.intermediate.int_superseded_events
union all
select file_id, source_line, '(masked)' from {DATABASE_NAME}.intermediate.int_rejected_records
where route::varchar in (select route from {DATABASE_NAME}.seeds.routes where brings_events)"""


@dataclass(frozen=True)
class Table:
    """A table of the file, and for each column what it identifies."""

    schema: str
    name: str
    columns: Mapping[str, str]

    def of(self, database: str) -> str:
        """Its name in a database."""
        return sql_name(database, self.schema, self.name)

    @property
    def masked(self) -> str:
        """Its columns as SQL, each as the masked file has it."""
        return ", ".join(
            EXPRESSIONS[identifies].format(column=sql_name(column), contact=self._contact) + f" as {sql_name(column)}"
            for column, identifies in self.columns.items()
        )

    @property
    def equal(self) -> list[str]:
        """The columns that are not masked."""
        return [column for column, identifies in self.columns.items() if identifies == "nothing"]

    @property
    def _contact(self) -> str:
        return "primary_contact_id" if "primary_contact_id" in self.columns else "contact_id"


@dataclass(frozen=True)
class MaskedCopy:
    """The publication."""

    settings: Settings
    key: bytes

    name = "masked"
    title = "the masked copy"
    kind = "duckdb"
    description = "The published file with pseudonyms for contacts and users, for people who may not know them."

    @property
    def place(self) -> str:
        return str(self.settings.masked)

    @property
    def target(self) -> str:
        # Another key is another target. The fingerprint of the key leads back to nobody's id.
        fingerprint = hmac.new(self.key, b"target", hashlib.sha256).hexdigest()[:16]
        return f"{self.place} {fingerprint}"

    def state(self) -> str:
        try:
            return _state_of(self.settings.masked)
        except FileNotFoundError:
            return ""

    def publish(self, file: Path) -> Published:
        target = self.settings.masked
        target.parent.mkdir(exist_ok=True)
        guard(self.settings)
        new = target.with_name(f".{target.name}.new")
        for leftover in target.parent.glob(f"{new.name}*"):
            leftover.unlink()
        rows = _write(file, new, self.key, self.settings.memory_limit_of_duckdb)
        new.chmod(self.settings.published_mode)
        flush_to_disk(new)
        state = _state_of(new)
        require_no_writer(target)
        remove_beside(target)
        os.replace(new, target)
        flush_to_disk(target.parent)
        guard(self.settings)
        return Published(rows, sum(rows.values()), state)

    def differences(self, file: Path) -> list[str]:
        if not self.settings.masked.exists():
            return [f"{self.settings.masked} is missing"]
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql_text(self.settings.masked)} as {DATABASE_NAME} (read_only)")
            attach_published(connection, file, _SOURCE)
            return list(_differences(connection))


def _state_of(file: Path) -> str:
    status = file.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"


def tables_to_copy(connection: duckdb.DuckDBPyConnection, database: str) -> list[Table]:
    """The tables that people query, and those that their views and functions need.

    Raises Problem when `columns.csv` does not say what a column identifies: nothing is published then.
    """
    texts = [
        text
        for (text,) in connection.execute(
            """
            select sql from duckdb_views() where database_name = $1 and schema_name <> 'staging'
            union all
            select macro_definition from duckdb_functions() where database_name = $1 and not internal""",
            [database],
        ).fetchall()
    ]
    found = connection.execute(
        """
        select schema_name, table_name, list(column_name order by column_index)
        from duckdb_columns() semi join duckdb_tables() using (database_name, schema_name, table_name)
        where database_name = $1 group by all order by all""",
        [database],
    ).fetchall()
    kinds, tables, unknown = _what_columns_identify(), [], []
    for schema, name, columns in found:
        if schema not in (*_PUBLIC, _RULES) and not any(re.search(rf"\b{schema}\.{name}\b", text) for text in texts):
            continue
        identified = {column: kinds.get((name, column)) or kinds.get(("*", column), "") for column in columns}
        if schema == _RULES:
            identified = dict.fromkeys(columns, "nothing")
        unknown += [f"{schema}.{name}.{column}" for column, identifies in identified.items() if not identifies]
        tables.append(Table(schema, name, identified))
    if unknown:
        raise Problem(
            f"publications/masked/columns.csv does not say what these columns identify: {', '.join(unknown)}",
            "Add a line for each",
        )
    return tables


def _what_columns_identify() -> dict[tuple[str, str], str]:
    with Path(__file__).with_name("columns.csv").open(encoding="utf-8", newline="") as file:
        return {(row["table"], row["column"]): row["identifies"] for row in csv.DictReader(file)}


def _write(file: Path, new: Path, key: bytes, memory_limit: str) -> dict[str, int]:
    """Write the masked file. Returns its rows by table."""
    with duckdb.connect(config={"temp_directory": f"{new}.spill", "memory_limit": memory_limit}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {sql_text(new)} as {DATABASE_NAME} (storage_version 'v1.2.0')")
        define_pseudonyms(connection, key)
        with _readable(file):
            attach_published(connection, file, _SOURCE)
        tables = tables_to_copy(connection, _SOURCE)
        connection.execute(f"copy from database {_SOURCE} to {DATABASE_NAME} (schema)")
        _drop_all_but(connection, {table.of(DATABASE_NAME) for table in tables})
        rows = {}
        for table in tables:
            connection.execute(f"insert into {table.of(DATABASE_NAME)} select {table.masked} from {table.of(_SOURCE)}")
            counted = connection.execute(f"select count(*) from {table.of(DATABASE_NAME)}").fetchone()
            assert counted is not None
            rows[f"{table.schema}.{table.name}"] = int(counted[0])
        connection.execute(_LANDED_RECORDS)
        connection.execute(f"checkpoint {DATABASE_NAME}")
        connection.execute(f"detach {DATABASE_NAME}")
    return rows


def _drop_all_but(connection: duckdb.DuckDBPyConnection, kept: set[str]) -> None:
    """Drop the tables that are not copied, and the private views that read the raw zone."""
    for kind, of_staging in (("view", "and schema_name = 'staging'"), ("table", "")):
        query = f"select schema_name, {kind}_name from duckdb_{kind}s() where database_name = $1 {of_staging}"
        for schema, name in connection.execute(query, [DATABASE_NAME]).fetchall():
            if (full := sql_name(DATABASE_NAME, schema, name)) not in kept:
                connection.execute(f"drop {kind} {full}")


def _differences(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Compare the rows of each table, by what is not masked."""
    for table in tables_to_copy(connection, _SOURCE):
        columns = ", ".join(map(sql_name, table.equal))
        query = f"select count(*), bit_xor(hash({columns})), sum(hash({columns})) from {{}}"
        try:
            masked = connection.execute(query.format(table.of(DATABASE_NAME))).fetchone()
        except duckdb.CatalogException:
            masked = None
        if masked != connection.execute(query.format(table.of(_SOURCE))).fetchone():
            yield f"{table.schema}.{table.name} differs"


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error:
        raise Problem(f"{file} cannot be read", "Run `make run`, which rebuilds it") from None
