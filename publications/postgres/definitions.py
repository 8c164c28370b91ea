"""Functions, views, keys, indexes and triggers: made where they are missing or differ, and left alone otherwise.

PostgreSQL shows a definition in its own words. What it showed when one was made is kept beside the statement, so that a
definition that somebody changed or dropped is noticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.lib.sql import sql_text
from publications.postgres.checksums import PRIVATE
from publications.postgres.connection import Session

_SHOWN = {
    "function": "pg_get_functiondef(to_regproc({name}))",
    "type": "(select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum)"
    " from pg_attribute where attrelid = to_regclass({name}) and not attisdropped)",
    "view": "pg_get_viewdef(to_regclass({name}))",
    "index": "pg_get_indexdef(to_regclass({name}))",
    "key": "(select pg_get_constraintdef(oid) from pg_constraint where conname = split_part({name}, ':', 2)"
    " and conrelid = to_regclass(split_part({name}, ':', 1)))",
    "trigger": "(select tgenabled::text || pg_get_triggerdef(oid) from pg_trigger"
    " where tgname = split_part({name}, ':', 2)"
    " and tgrelid = to_regclass(split_part({name}, ':', 1)))",
}


@dataclass(frozen=True)
class Definition:
    """Keys and triggers are named `<table>:<name>`, all else by schema and name."""

    kind: str
    name: str
    statement: str


def make(session: Session, wanted: Sequence[Definition]) -> None:
    """Make what is missing or differs, in this order, and drop views and functions that are not wanted any more."""
    known = {(kind, name): (statement, shown) for kind, name, statement, shown in _known(session)}
    for one in wanted:
        statement, shown = known.get((one.kind, one.name), (None, None))
        if statement == one.statement and shown is not None and shown == _shown(session, one):
            continue
        session.execute(one.statement)
        session.execute(
            f"insert into {PRIVATE}.definitions select {sql_text(one.kind)}, {sql_text(one.name)},"
            f" {sql_text(one.statement)}, {_SHOWN[one.kind].format(name=sql_text(one.name))}"
            " on conflict (kind, name) do update set statement = excluded.statement, shown = excluded.shown"
        )

    names = {(one.kind, one.name) for one in wanted}
    for kind, name in known:
        if (kind, name) not in names and kind in ("view", "function"):
            # A file of another version has it.
            session.execute(f"drop {kind} if exists {name}")
        if (kind, name) not in names:
            session.execute(
                f"delete from {PRIVATE}.definitions where (kind, name) = ({sql_text(kind)}, {sql_text(name)})"
            )


def _known(session: Session) -> list[tuple[str, str, str, str]]:
    return session.query(f"select kind, name, statement, shown from {PRIVATE}.definitions")


def _shown(session: Session, one: Definition) -> object:
    ((shown,),) = session.query(f"select {_SHOWN[one.kind].format(name=sql_text(one.name))} as shown")
    return shown
