"""The views and table functions that can be exported, and the query for one of them with its filters."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.lib.export.files import Source, columns_of
from orchestration.lib.problems import Problem
from orchestration.lib.sql import sql_name

_SCHEMAS = ("reports", "quality", "marts")
_RANGE = ("start_date", "end_date")
# The columns by which the rows of a view have a day: a period has its first one.
_DAYS = ("report_date", "month_start")
# Short names of filters: those of the report page (contract 7), and the parameter or column that each means.
_SHORT_NAMES = {
    "workspace": ("workspace_id",),
    "user": ("user_ids", "user_id"),
    "source": ("sources",),
    "contact": ("contact_ids", "contact_id", "primary_contact_id"),
    "channel": ("channel_ids", "channel_id"),
}
# The report that refuses days, workspaces and sources. A view has no rows for them, and does not say why.
_JUDGE = """
    from reports.contacts_overview_between(
        $first, $last, frequency := 'total', workspace_id := $workspace_id, sources := $sources
    )"""
# The value of a channel filter for events without a known channel.
_UNKNOWN_CHANNEL = "unknown"


@dataclass(frozen=True)
class Query:
    """A query with its parameters, and the columns of its rows."""

    sql: str
    parameters: Mapping[str, Any]
    columns: Mapping[str, str]


def query_of(
    source: Source, name: str, first: date | None, last: date | None, filters: Sequence[tuple[str, str]]
) -> Query:
    """The rows of a view or table function on some days, with filters. Raises Problem for what is not known."""
    schema, relation, parameters = _found(source, name)
    full_name = sql_name(schema, relation)
    if parameters is None:
        selected, values = _of_view(source, schema, relation, first, last, filters)
    else:
        selected, values = _of_function(full_name, relation, parameters, first, last, filters)
    columns = columns_of(source, selected, values)
    # Events come newest first, as on the report page. All else is sorted from its first column on.
    order = "occurred_at desc, " + ", ".join(map(sql_name, columns)) if "occurred_at" in columns else "all"
    return Query(f"from ({selected}) order by {order}", values, columns)


def _found(source: Source, name: str) -> tuple[str, str, Sequence[str] | None]:
    """The schema and the name of a view, and the parameters of a table function; None for those of a view."""
    known = source.rows(
        """
        select schema_name, view_name as relation, null as parameters from duckdb_views()
        where database_name = current_database()
        union all
        select schema_name, table_name, null from duckdb_tables() where database_name = current_database()
        union all
        select schema_name, function_name, parameters from duckdb_functions()
        where database_name = current_database() and function_type = 'table_macro'"""
    )
    relations = {(row["schema_name"], row["relation"]): row["parameters"] for row in known}
    for schema in _SCHEMAS:
        asked = name.removeprefix(f"{schema}.")
        if (schema, asked) in relations:
            return schema, asked, relations[schema, asked]
    names = [relation for schema, relation in relations if schema in _SCHEMAS]
    raise Problem(
        f"There is no view or table function {name!r} in the publication",
        f"{_nearest(name.rsplit('.', 1)[-1], names)}docs/published-file.md lists them",
    )


def _of_function(
    full_name: str,
    relation: str,
    parameters: Sequence[str],
    first: date | None,
    last: date | None,
    filters: Sequence[tuple[str, str]],
) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {}
    if "start_date" in parameters:
        if not first or not last:
            raise Problem(f"{relation} needs the first and the last day", "Give both --from and --to (FROM and TO)")
        values = {"start_date": first, "end_date": last}
    elif first or last:
        raise Problem(f"{relation} has no days to choose", "Leave out --from and --to (FROM and TO)")
    allowed = [parameter for parameter in parameters if parameter not in _RANGE]
    for name, value in filters:
        parameter = _meant(name, allowed, relation)
        if parameter.endswith("_ids") or parameter == "sources":
            values.setdefault(parameter, []).append(_element(name, parameter, value))
        elif parameter in values:
            raise Problem(f"The filter {name} of {relation} takes one value", "Give it once")
        else:
            values[parameter] = value
    arguments = ", ".join(f"{sql_name(parameter)} := ${parameter}" for parameter in values)
    return f"from {full_name}({arguments})", values


def _element(name: str, parameter: str, value: str) -> str | int | None:
    if parameter == "channel_ids" and value == _UNKNOWN_CHANNEL:
        return None
    if parameter != "contact_ids":
        return value
    if not value.isascii() or not value.isdigit():
        raise Problem(f"The filter {name} has the value {value!r}", "The id of a contact is a positive whole number")
    return int(value)


def _of_view(
    source: Source,
    schema: str,
    relation: str,
    first: date | None,
    last: date | None,
    filters: Sequence[tuple[str, str]],
) -> tuple[str, dict[str, Any]]:
    full_name = sql_name(schema, relation)
    columns = columns_of(source, f"from {full_name}", {})
    values: dict[str, Any] = {}
    conditions = []
    if first or last:
        day = next((column for column in _DAYS if column in columns), None)
        if day is None:
            raise Problem(f"The rows of {relation} have no day", "Leave out --from and --to (FROM and TO)")
        for name, sign, bound in (("first", ">=", first), ("last", "<=", last)):
            if bound:
                conditions.append(f"{day} {sign} ${name}")
                values[name] = bound
    allowed = [column for column, type_ in columns.items() if not type_.endswith("]")]
    chosen: dict[str, list[str]] = {}
    for name, value in filters:
        chosen.setdefault(_meant(name, allowed, relation), []).append(value)
    # The schema `quality` also has records of workspaces and sources that are not known.
    _judge(source, first, last, {} if schema == "quality" else chosen)
    for number, (column, texts) in enumerate(chosen.items()):
        values[f"filter_{number}"] = texts
        condition = f"list_contains(cast($filter_{number} as {columns[column]}[]), {sql_name(column)})"
        if column == "channel_id" and _UNKNOWN_CHANNEL in texts:
            condition = f"({condition} or channel_id is null)"
        conditions.append(condition)
    return f"from {full_name}" + (f" where {' and '.join(conditions)}" if conditions else ""), values


def _judge(source: Source, first: date | None, last: date | None, chosen: Mapping[str, Sequence[str]]) -> None:
    """Have the report refuse what it refuses: raises duckdb.InvalidInputException with its words."""
    workspaces, sources = chosen.get("workspace_id", ()), chosen.get("source")
    if not (first and last) and not workspaces and not sources:
        return
    days = {"first": first or last or date.max, "last": last or first or date.max}
    for workspace_id in workspaces or (None,):
        source.rows(_JUDGE, {**days, "workspace_id": workspace_id, "sources": sources})


def _meant(name: str, allowed: Sequence[str], relation: str) -> str:
    """The parameter or column that a filter means. Raises Problem."""
    for meant in (name, *_SHORT_NAMES.get(name, ())):
        if meant in allowed:
            return meant
    can = f"It has {', '.join(allowed)}" if allowed else "It has none"
    raise Problem(f"{relation} has no filter {name!r}", f"{_nearest(name, allowed)}{can}")


def _nearest(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(close)}? " if close else ""
