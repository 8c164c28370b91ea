"""Calls of the published reports: with bound values to be run, and as SQL to be pasted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.lib.sql import sql_text
from page.publication import Reader, Row

# The parameters that every report has, and takes by position.
_DATES = ("start_date", "end_date")


@dataclass(frozen=True)
class Call:
    """A call of a table function of the published file, and what is done with its rows."""

    function: str  # with its schema
    arguments: Mapping[str, Any]  # by the names of the function's parameters, those that are given
    order_by: str = ""
    limit: int | None = None
    offset: int = 0
    where: str = ""  # a condition with parameters of its own
    values: Mapping[str, Any] | None = None  # of `where`

    def bound(self) -> tuple[str, dict[str, Any]]:
        """The statement with parameters, and their values."""
        statement = self._statement({name: f"${name}" for name in self.arguments})
        return statement, {**self.arguments, **(self.values or {})}

    def text(self) -> str:
        """The statement with its values, to be pasted where the published file is open."""
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
    """A query of our own on views of the publication, with values for its parameters."""

    sql: str
    parameters: Mapping[str, Any]

    def rows(self, reader: Reader) -> list[Row]:
        """The rows of the query. Raises what Reader.rows raises."""
        return reader.rows(self.sql, self.parameters)

    def text(self) -> str:
        """The query with its values, to be pasted where the published file is open."""
        return re.sub(r"[$](\w+)", lambda found: sql_literal(self.parameters[found[1]]), self.sql.strip())


def sql_literal(value: object) -> str:
    """A value as SQL: None, a number, a date, a text, or a list of them. Raises TypeError for anything else."""
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
