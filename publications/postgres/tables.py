"""Which tables PostgreSQL holds, and what they are made of: columns and types, keys, indexes, and parts.

A part is what is compared and replaced as a whole: the rows of a workspace and day, or of a share of its contacts. Rows
of a table are found by their part, so a table needs no key for that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from orchestration.lib.sql import sql_name, sql_text

SCHEMAS = ("reports", "quality")

# What names a part of a table.
PART = ("workspace_id", "day", "bucket")

_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}

# Into how many parts the contacts of a day are divided, and those of a workspace in a table without days. An
# incremental run of 10,000 events changes one row in each of some 900 parts of earlier days, and of 9,000 parts of the
# contacts, so parts are small: 10 to 30 rows at ten million events. They are primes: the ids of a workspace may have a
# divisor in common, and would fill few of the parts.
_BUCKETS = {
    "quality.event_records": 127,
    "reports.contacts_added_log": 31,
    "reports.contacts_connected_log": 31,
    "reports.contacts_deleted_log": 1,
    "reports.contacts_merged_log": 1,
    "quality.superseded_events": 7,
    "reports.contacts_lifecycle": 262_139,
    "quality.rejected_records": 251,
}
_BUCKETS_BY = ("contact_id", "source_line")

# Primary keys, of columns that are short by their rules: an index of PostgreSQL has no values over 2,700 bytes, and an
# event id may be longer.
_KEYS = {
    "reports.contacts_overview": ("workspace_id", "report_date"),
    "reports.contacts_net_growth": ("workspace_id", "report_date"),
    "reports.contacts_added_by_source": ("workspace_id", "report_date", "source"),
    "reports.contacts_added_log": ("workspace_id", "contact_id"),
    "reports.contacts_deleted_log": ("workspace_id", "contact_id"),
    "reports.contacts_lifecycle": ("workspace_id", "contact_id"),
    "reports.contacts_time_to_connect": ("workspace_id", "month_start", "source"),
    "reports.data_status": ("workspace_id", "event_type"),
    "reports.sources": ("source",),
    "reports.workspaces": ("workspace_id",),
    "reports.report_components": ("key",),
    "reports.report_filters": ("component", "filter"),
    "reports.report_labels": ("subject", "key"),
    "quality.reconciliation": ("workspace_id", "report_date", "event_type"),
}

# What the report page asks for, beside days and keys. A hash index takes a text of any length.
_INDEXES = {
    "reports.contacts_connected_log": ("(workspace_id, contact_id)", "using hash (event_id)"),
    "reports.contacts_merged_log": (
        "(workspace_id, primary_contact_id)",
        "(workspace_id, merged_contact_id)",
        "using hash (event_id)",
    ),
    "reports.contacts_added_log": ("using hash (event_id)",),
    "reports.contacts_deleted_log": ("using hash (event_id)",),
    "quality.event_records": ("(workspace_id, contact_id)", "using hash (event_id)"),
    "quality.superseded_events": ("using hash (superseded_by)",),
}


@dataclass(frozen=True)
class Column:
    name: str
    file_type: str
    comment: str | None

    @property
    def type(self) -> str:
        """The type in PostgreSQL. Lists and other types that it does not have are text."""
        decimal = re.fullmatch(r"DECIMAL(\(\d+,\d+\))", self.file_type)
        return f"numeric{decimal.group(1)}" if decimal else _TYPES.get(self.file_type, "text")

    @property
    def value(self) -> str:
        """The value as PostgreSQL has it, in DuckDB's SQL. It has no text with a NUL byte; lists are JSON."""
        name = sql_name(self.name)
        if self.type != "text":
            return name
        is_nested = self.file_type.endswith("]") or self.file_type.startswith(("STRUCT", "MAP", "UNION"))
        text = f"cast({f'to_json({name})' if is_nested else name} as varchar)"
        return f"replace({text}, chr(0), '\ufffd')"


@dataclass(frozen=True)
class Table:
    """A table of PostgreSQL, made of the view or table of the file that has its name."""

    schema: str
    table: str
    comment: str | None
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def sql(self) -> str:
        """Its name as SQL."""
        return sql_name(self.schema, self.table)

    @cached_property
    def part(self) -> dict[str, str]:
        """The columns that say which part a row belongs to, and their values: the same SQL in both engines."""
        names = {column.name for column in self.columns}
        part = {}
        if "workspace_id" in names:
            part["workspace_id"] = "workspace_id"
        if "report_date" in names:
            part["day"] = "report_date"
        by = (
            "primary_contact_id"
            if "primary_contact_id" in names
            else next((c for c in _BUCKETS_BY if c in names), None)
        )
        buckets = _BUCKETS.get(self.name, 1)
        if by and buckets > 1:
            part["bucket"] = f"({by} % {buckets})"
        return part

    @property
    def key(self) -> tuple[str, ...]:
        return _KEYS.get(self.name, ())

    @property
    def indexes(self) -> Sequence[str]:
        """What follows `on <table>`. The first one finds parts, and days."""
        if not self.part or set(self.part.values()) <= set(self.key):
            return _INDEXES.get(self.name, ())
        return (f"({', '.join(self.part.values())})", *_INDEXES.get(self.name, ()))

    @property
    def names(self) -> str:
        """The names of its columns as SQL."""
        return ", ".join(sql_name(column.name) for column in self.columns)

    @property
    def rows(self) -> str:
        """Its rows in the file, as they are to be in PostgreSQL: a query of DuckDB."""
        return f"select {self._values} from {self.sql}"

    def rows_in(self, parts: str) -> str:
        """Those of its rows whose part a query of parts has. Only for these are all values computed.

        A filter over `rows` computes them for each row: 12 CPU-seconds and not 3 for ten million of `event_records`.
        """
        part = ", ".join(text_of(self.part, name) for name in PART)
        by_part = [column for column in self.columns if column.name in self.part.values()]
        values = ", ".join(f"{column.value} as {sql_name(column.name)}" for column in by_part)
        source = f"(select * replace ({values}) from {self.sql})" if by_part else self.sql
        return f"select {self._values} from {source} where ({part}) in ({parts})"

    @property
    def _values(self) -> str:
        return ", ".join(f"{column.value} as {sql_name(column.name)}" for column in self.columns)

    @property
    def required(self) -> set[str]:
        """The columns that are never NULL: a row without them would be in no part."""
        return {name for name in re.findall(r"\w+", " ".join(self.part.values())) if not name.isdigit()}


def text_of(part: Mapping[str, str], name: str, alias: str = "") -> str:
    """The value of a column of a part, or what stands for it in a table without it. `alias` is of the table."""
    if name not in part:
        return {"workspace_id": sql_text(""), "day": "date '2000-01-01'", "bucket": "0"}[name]
    dot = f"{alias}." if alias else ""
    value = part[name]
    return f"({dot}{value[1:]}" if value.startswith("(") else f"{dot}{value}"
