"""Lets readers in: the role `contact_reports_reader` may read the tables and views, and call the functions."""

from collections.abc import Sequence

from publications.postgres.checksums import PRIVATE
from publications.postgres.connection import Session
from publications.postgres.tables import SCHEMAS

READER = "contact_reports_reader"


def let_readers_in(session: Session) -> Sequence[str]:
    """Grant what the role lacks. Returns a note when there is no such role and the user may not create it."""
    ((may_create, exists, user),) = session.query(
        f"""select rolsuper or rolcreaterole as may_create, to_regrole('{READER}') is not null as is_there, rolname
        from pg_roles where rolname = current_user"""
    )
    if not exists:
        if not may_create:
            return [
                f"There is no role {READER}, and {user} may not create it: nobody was given the right to read. Run"
                f" `create role {READER} nologin` as an administrator, and grant it to those who read"
            ]
        session.execute(f"create role {READER} nologin")
    # The private schema has functions that those of `reports` call. PostgreSQL lets everybody call functions.
    schemas = session.query(
        f"""select nspname from pg_namespace where nspname in ({_texts([*SCHEMAS, PRIVATE])})
        and not has_schema_privilege('{READER}', oid, 'usage')"""
    )
    for (schema,) in schemas:
        session.execute(f"grant usage on schema {schema} to {READER}")
    unreadable = session.query(
        f"""select quote_ident(nspname) || '.' || quote_ident(relname) as name
        from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where nspname in ({_texts(SCHEMAS)}) and relkind in ('r', 'v')
        and pg_has_role(relowner, 'usage') and not has_table_privilege('{READER}', c.oid, 'select')"""
    )
    if unreadable:
        session.execute(f"grant select on {', '.join(name for (name,) in unreadable)} to {READER}")
    return []


def _texts(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
