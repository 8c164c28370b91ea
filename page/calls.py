"""Queries of the published file: with bound values to run, and as SQL text to paste."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.lib.sql import sql_text
from page.publication import Reader, Row

# Every report takes these two by position.
_DATES = ("start_date", "end_date")


@dataclass(frozen=True)
class Call:
    """A call of a table function of the published file, with an optional condition, order and limit."""

    function: str  # with its schema
    arguments: Mapping[str, Any]  # by the names of the function's parameters, those that are given
    order_by: str = ""
    limit: int | None = None
    offset: int = 0
    where: str = ""  # a condition with parameters of its own
    values: Mapping[str, Any] | None = None  # of `where`

    def bound(self) -> tuple[str, dict[str, Any]]:
        """The statement with placeholders for texts, and the values to bind."""
        placeholders: dict[str, str] = {}
        values: dict[str, object] = {}
        for name, value in self.arguments.items():
            placeholders[name], bound = _bound(name, value)
            values |= bound
        return self._statement(placeholders), {**values, **(self.values or {})}

    def text(self) -> str:
        """The statement with literal values, to paste where the published file is open."""
        return self._statement({name: sql_literal(value) for name, value in self.arguments.items()})

    def rows(self, reader: Reader) -> list[Row]:
        """The rows of the report. Raises what Reader.rows raises."""
        return reader.rows(*self.bound())

    def _statement(self, values: Mapping[str, str]) -> str:
        listed = ", ".join(value if name in _DATES else f"{name} := {value}" for name, value in values.items())
        parts = [f"from {self.function}({listed})"]
        if self.where:
            parts.append(f"where {self.where}")
        if self.order_by:
            parts.append(f"order by {self.order_by}")
        if self.limit is not None:
            parts.append(f"limit {self.limit}" + (f" offset {self.offset}" if self.offset else ""))
        return "\n".join(parts)


@dataclass(frozen=True)
class Query:
    """A query on views of the published file, with the values to bind."""

    sql: str
    parameters: Mapping[str, Any]

    def rows(self, reader: Reader) -> list[Row]:
        """The rows of the query. Raises what Reader.rows raises."""
        return reader.rows(self.sql, self.parameters)

    def text(self) -> str:
        """The query with literal values, to paste where the published file is open."""
        return re.sub(r"[$](\w+)", lambda found: sql_literal(self.parameters[found[1]]), self.sql.strip())


def _bound(name: str, value: object) -> tuple[str, dict[str, object]]:
    """An argument as SQL, and the value to bind.

    DuckDB looks for pandas twice for each value that is bound, and for each element of a list. If it is not installed,
    that takes 0.4 ms each: 0.25 s for 500 ids. So a date or a number is a literal, and a list is bound as one text.
    """
    match value:
        case str():
            return f"${name}", {name: value}
        case [*elements]:
            kind = "bigint" if any(isinstance(element, int) for element in elements) else "varchar"
            return f"${name}::json::{kind}[]", {name: json.dumps(elements)}
    return sql_literal(value), {}


def sql_literal(value: object) -> str:
    """An SQL literal of None, a number, a date, a text, or a list of them. Raises TypeError for other types."""
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(value)
        case date():
            return f"date '{value.isoformat()}'"
        case str():
            return sql_text(value)
        case Sequence():
            return "[" + ", ".join(map(sql_literal, value)) + "]"
    raise TypeError(f"{type(value).__name__} is no value of a report")
