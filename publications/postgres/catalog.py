"""What the published file says of itself: its tables and columns, its table functions, its comments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.lib.warehouse.published import open_published
from publications.postgres.tables import SCHEMAS, Column, Table
from publications.postgres.views import COMPUTED

# It is not in the file, but in the raw zone, and has all that ever landed: telephone numbers, addresses.
_LEFT_OUT = ("landed_records",)

_TABLES = """
    with relations as (
        select schema_name, view_name as name, comment from duckdb_views() where database_name = current_database()
        union all
        select schema_name, table_name, comment from duckdb_tables() where database_name = current_database()
    )
    select
        relations.schema_name, relations.name, relations.comment,
        list({'name': columns.column_name, 'type': columns.data_type, 'comment': columns.comment}
            order by columns.column_index)
    from relations
    inner join duckdb_columns() as columns
        on relations.schema_name = columns.schema_name and relations.name = columns.table_name
        and columns.database_name = current_database()
    where list_contains($1, relations.schema_name)
    group by all order by all"""
_FUNCTIONS = """
    select function_name, parameters, comment from duckdb_functions()
    where database_name = current_database() and schema_name = 'reports' and function_type = 'table_macro'
    order by all"""
_PRESETS = """
    select date_range, label, from_unit, from_offset, until_unit, until_offset
    from seeds.date_range_presets order by position"""


@dataclass(frozen=True)
class Catalog:
    tables: Sequence[Table]
    functions: Mapping[str, Sequence[str]]  # of schema `reports`, with their arguments
    comments: Mapping[tuple[str, str, str], str | None]  # by schema, relation or function, and column or ''
    presets: Sequence[tuple[object, ...]]


def read_catalog(file: Path) -> Catalog:
    """Read it on a connection of its own: beside PostgreSQL, DuckDB would list PostgreSQL's tables too."""
    with open_published(file) as connection:
        found = connection.execute(_TABLES, [SCHEMAS]).fetchall()
        functions = connection.execute(_FUNCTIONS).fetchall()
        presets = (
            connection.execute(_PRESETS).fetchall() if any(name == "date_ranges_at" for name, *_ in functions) else []
        )
    tables = [
        Table(schema, name, comment, tuple(Column(one["name"], one["type"], one["comment"]) for one in columns))
        for schema, name, comment, columns in found
    ]
    comments = {(table.schema, table.table, ""): table.comment for table in tables}
    comments |= {(one.schema, one.table, column.name): column.comment for one in tables for column in one.columns}
    comments |= {("reports", name, ""): comment for name, _, comment in functions}
    return Catalog(
        [table for table in tables if table.table not in (*_LEFT_OUT, *COMPUTED)],
        {name: parameters for name, parameters, _ in functions},
        comments,
        presets,
    )
