"""Texts and names as SQL, for the places where DuckDB takes no parameter, such as the target of COPY."""

from pathlib import Path


def sql_text(value: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """A column's name as SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'
