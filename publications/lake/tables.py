"""Which tables of the published file a lake has, and how it stores their columns."""

from dataclasses import dataclass
from functools import cached_property

import duckdb
from deltalake import Field, Schema
from deltalake.schema import ArrayType, PrimitiveType

from orchestration.lib.problems import Problem
from orchestration.lib.settings import DATABASE_NAME
from orchestration.lib.sql import sql_name

SCHEMAS = ("marts", "reports")
WORKSPACE = "workspace_id"
REPORT_DATE = "report_date"

# Views of date ranges change by the clock: what a lake had of them would be wrong the next day.
_COLUMNS = f"""
    with relations as (
        select database_name, schema_name, table_name, false as is_view, comment from duckdb_tables()
        union all
        select database_name, schema_name, view_name, true, comment from duckdb_views()
    )
    select schema_name, table_name, relations.is_view, relations.comment, columns.column_name, columns.data_type,
        columns.comment
    from duckdb_columns() as columns
    inner join relations using (database_name, schema_name, table_name)
    where database_name = '{DATABASE_NAME}' and schema_name in {SCHEMAS}
        and not contains(table_name, 'date_range')
    order by schema_name, table_name, columns.column_index
"""

# By DuckDB's type: the type of Delta. Delta has no unsigned integers.
_STORED = {
    "BIGINT": "long",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DECIMAL(20,0)": "decimal(20,0)",
    "DOUBLE": "double",
    "INTEGER": "integer",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "TIMESTAMP": "timestamp_ntz",
    "VARCHAR": "string",
}

# Tables without a report date: the instant from which the rows of a contact seldom change again.
_INSTANTS = {
    "marts.dim_contact": "first_event_at",
    "reports.contacts_lifecycle": "least(added_at, first_connected_at, deleted_at, merged_at)",
}


@dataclass(frozen=True)
class Column:
    """A column, with its type in DuckDB once it is read as `sql`."""

    name: str
    type: str
    sql: str
    comment: str | None

    @property
    def field(self) -> Field:
        """The column in a Delta table."""
        element = self.type.removesuffix("[]")
        stored = PrimitiveType(_STORED[element])
        metadata = {"comment": self.comment} if self.comment else {}
        return Field(
            self.name, ArrayType(stored, contains_null=True) if element != self.type else stored, metadata=metadata
        )


@dataclass(frozen=True)
class Table:
    """A table or a view of the published file."""

    schema: str
    name: str
    is_view: bool
    comment: str | None
    columns: tuple[Column, ...]

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def source(self) -> str:
        """Its name on a connection that has the published file."""
        return sql_name(DATABASE_NAME, self.schema, self.name)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns)

    @property
    def partitioned_by(self) -> list[str]:
        return [WORKSPACE] if WORKSPACE in self.names else []

    @property
    def day(self) -> str:
        """The day by which its rows are divided, as SQL. NULL if they are not."""
        if REPORT_DATE in self.names:
            return REPORT_DATE
        return f"({_INSTANTS.get(self.label, 'null::timestamptz')})::date"

    @property
    def delta_schema(self) -> Schema:
        return Schema([column.field for column in self.columns])


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[Table]:
    """The tables of the published file that a lake has. Raises Problem for a column that Delta has no type for."""
    found: dict[tuple[str, str, bool, str | None], list[Column]] = {}
    for schema, table, is_view, comment, *column in connection.execute(_COLUMNS).fetchall():
        found.setdefault((schema, table, is_view, comment), []).append(_column(f"{schema}.{table}", *column))
    return [Table(*table, tuple(columns)) for table, columns in found.items()]


def _column(table: str, name: str, data_type: str, comment: str | None) -> Column:
    if data_type.startswith("ENUM("):
        return Column(name, "VARCHAR", f"{sql_name(name)}::varchar", comment)
    if data_type == "UBIGINT":
        return Column(name, "DECIMAL(20,0)", f"{sql_name(name)}::decimal(20, 0)", comment)
    if data_type.removesuffix("[]") not in _STORED:
        raise Problem(
            f"The column {name} of {table} has the type {data_type}, which the lake has no type for",
            "Give its model another type, or teach publications/lake/tables.py how to store it",
        )
    return Column(name, data_type, sql_name(name), comment)
