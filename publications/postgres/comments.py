"""Gives tables, views, columns and functions of PostgreSQL the comments of the file, where they differ."""

from collections.abc import Mapping

from orchestration.lib.sql import sql_name, sql_text
from publications.postgres.connection import Session

_OF_POSTGRESQL = """
    select case relkind when 'v' then 'view' else 'table' end as kind, nspname, relname as name, '' as part,
        obj_description(c.oid, 'pg_class') as comment
    from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
    where nspname in ('reports', 'quality') and relkind in ('r', 'v')
    union all
    select 'column', nspname, relname, attname, col_description(attrelid, attnum)
    from pg_attribute inner join pg_class as c on attrelid = c.oid
    inner join pg_namespace as n on c.relnamespace = n.oid
    where nspname in ('reports', 'quality') and relkind in ('r', 'v') and attnum > 0 and not attisdropped
    union all
    select 'function', nspname, proname, '', obj_description(p.oid, 'pg_proc')
    from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
    where nspname = 'reports'"""


def write_comments(session: Session, comments: Mapping[tuple[str, str, str], str | None]) -> None:
    """`comments` are those of the file, by schema, relation or function, and column or ''."""
    statements = []
    for kind, schema, name, part, comment in session.query(_OF_POSTGRESQL):
        wanted = comments.get((schema, name, part), comment)
        if wanted != comment:
            said = sql_text(wanted.replace("\0", "")) if wanted else "null"
            statements.append(f"comment on {kind} {sql_name(*filter(None, (schema, name, part)))} is {said}")
    if statements:
        session.execute("; ".join(statements))
