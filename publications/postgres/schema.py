"""Makes what holds the rows: schemas, columns, keys, indexes, triggers, views, functions. DDL only where needed."""

from collections.abc import Sequence

from orchestration.lib.problems import Problem
from orchestration.lib.sql import sql_name, sql_text
from publications.postgres import arguments, functions, letters, views
from publications.postgres.catalog import Catalog
from publications.postgres.checksums import BOOKKEEPING, CHECKSUMS, PRIVATE
from publications.postgres.comments import write_comments
from publications.postgres.connection import Session
from publications.postgres.definitions import Definition, make
from publications.postgres.tables import SCHEMAS, Table

# A schema with this comment is the publication's own; it survives a dump and its restoration.
_OURS = "Published by contact-reports from its file. What is changed here is changed back."

_TRIGGER = "notes_writes"
_NOTE = f"{PRIVATE}.note_that_it_was_written"
_NOTE_STATEMENT = f"""create or replace function {_NOTE}() returns trigger language plpgsql security definer
set search_path = pg_catalog as $body$
begin
    insert into {PRIVATE}.touched values (tg_table_schema || '.' || tg_table_name);
    return null;
end $body$"""


def prepare(session: Session, tables: Sequence[Table]) -> None:
    """Make the schemas, the bookkeeping and the tables, with their columns. Raises Problem for a schema of others."""
    _make_schemas(session)
    for name, columns in BOOKKEEPING.items():
        if not session.query(f"select 1 as found where to_regclass('{PRIVATE}.{name}') is not null"):
            session.execute(f"create table {PRIVATE}.{name} ({columns})")
    held = _held(session)
    for table in tables:
        _make_table(session, table, held.get(table.name))
    names = {table.name for table in tables}
    for (name,) in session.query(f"select table_name from {PRIVATE}.tables where to_regclass(table_name) is not null"):
        if name not in names:
            # The file has no such table any more.
            session.execute(f"drop table {sql_name(*name.split('.', 1))}")


def complete(session: Session, catalog: Catalog) -> None:
    """Make what belongs to the tables and is quicker made, or only possible, when they have their rows."""
    wanted = [Definition("function", _NOTE, _NOTE_STATEMENT), _trigger(CHECKSUMS)]
    for table in catalog.tables:
        wanted += _of_table(table)
    make(session, [*wanted, *_computed(session, catalog)])
    write_comments(session, catalog.comments)


def _make_schemas(session: Session) -> None:
    for schema in (*SCHEMAS, PRIVATE):
        found = session.query(
            f"""select obj_description(n.oid, 'pg_namespace') as said,
                (exists (select from pg_class where relnamespace = n.oid)
                    or exists (select from pg_proc where pronamespace = n.oid)) as has_something
            from pg_namespace as n where nspname = '{schema}'"""
        )
        if not found:
            session.execute(f"create schema {schema}")
        elif found[0][0] == _OURS:
            continue
        elif found[0][1]:
            raise Problem(
                f"The schema {schema} of the database has tables or functions of others",
                "Publish to a database of its own, or rename that schema",
            )
        session.execute(f"comment on schema {schema} is {sql_text(_OURS)}")


def _held(session: Session) -> dict[str, dict[str, str]]:
    """The columns and types of the tables that are there."""
    held: dict[str, dict[str, str]] = {}
    for name, column, column_type in session.query(
        """select nspname || '.' || relname as name, attname, format_type(atttypid, atttypmod) as type
        from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
        inner join pg_attribute on attrelid = pg_class.oid
        where nspname in ('reports', 'quality') and relkind = 'r' and attnum > 0 and not attisdropped"""
    ):
        held.setdefault(name, {})[column] = column_type
    return held


def _make_table(session: Session, table: Table, held: dict[str, str] | None) -> None:
    if held is None:
        columns = ", ".join(
            f"{sql_name(column.name)} {column.type}{' not null' if column.name in table.required else ''}"
            for column in table.columns
        )
        session.execute(f"create table {table.sql} ({columns})")
        return
    wanted = {column.name: column.type for column in table.columns}
    gone = [f"drop column {sql_name(name)}" for name, of in held.items() if wanted.get(name) != of]
    come = [f"add column {sql_name(name)} {of}" for name, of in wanted.items() if held.get(name) != of]
    if gone or come:
        # Its rows are read back and found to differ, so they are written again.
        session.execute(f"alter table {table.sql} {', '.join([*gone, *come])}")
        session.execute(f"delete from {PRIVATE}.tables where table_name = {sql_text(table.name)}")


def _of_table(table: Table) -> list[Definition]:
    wanted = []
    if table.key and set(table.key) <= {column.name for column in table.columns}:
        drop = f"alter table {table.sql} drop constraint if exists {table.table}_key"
        add = f"alter table {table.sql} add constraint {table.table}_key primary key ({', '.join(table.key)})"
        wanted.append(Definition("key", f"{table.name}:{table.table}_key", f"{drop}; {add}"))
    for number, index in enumerate(table.indexes, 1):
        name = f"{table.table}_index_{number}"
        statement = f"drop index if exists {table.schema}.{name}; create index {name} on {table.sql} {index}"
        wanted.append(Definition("index", f"{table.schema}.{name}", statement))
    return [*wanted, _trigger(table.name)]


def _trigger(table: str) -> Definition:
    name = sql_name(*table.split(".", 1))
    statement = (
        f"drop trigger if exists {_TRIGGER} on {name};"
        f" create trigger {_TRIGGER} after insert or update or delete or truncate on {name}"
        f" for each statement execute function {_NOTE}()"
    )
    return Definition("trigger", f"{table}:{_TRIGGER}", statement)


def _computed(session: Session, catalog: Catalog) -> list[Definition]:
    """The functions and views of the file that can be made of the tables."""
    tables = {table.table for table in catalog.tables if table.schema == "reports"}
    wanted = [
        _function(f"{PRIVATE}.plain_letters", '"text" text', "text", letters.body(session), "immutable parallel safe"),
        Definition(
            "type",
            functions.CONNECTED_ROW,
            f"drop type if exists {functions.CONNECTED_ROW};"
            f" create type {functions.CONNECTED_ROW} as ({functions.CONNECTED_COLUMNS})",
        ),
    ]
    if {"workspaces", "sources"} <= tables:
        wanted.append(
            _function(
                f"{PRIVATE}.checked", arguments.CHECKED_ARGUMENTS, "boolean", arguments.CHECKED, "stable", "plpgsql"
            )
        )
    made = set()
    for name, parameters in catalog.functions.items():
        function = functions.build(name, parameters)
        if name == "date_ranges_at" and "workspaces" in tables:
            body = views.date_ranges_at(catalog.presets)
            wanted.append(_function(f"reports.{name}", arguments.declared(parameters), views.DATE_RANGES_COLUMNS, body))
        elif function and set(function.reads) <= tables:
            wanted.append(_function(f"reports.{name}", arguments.declared(parameters), function.returns, function.body))
        else:
            continue
        made.add(name)
    if {"date_ranges_at", "contacts_compared_between"} <= made:
        wanted += [Definition("view", f"reports.{view}", views.statement(view)) for view in views.COMPUTED]
    return wanted


def _function(
    name: str, declared: str, returns: str, body: str, how: str = "stable parallel safe", language: str = "sql"
) -> Definition:
    statement = (
        f"create or replace function {name}({declared}) returns {returns} language {language} {how}"
        f" as $body${body}$body$"
    )
    return Definition("function", name, statement)
