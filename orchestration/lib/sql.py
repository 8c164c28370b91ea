"""Texts and names as SQL, for the places where DuckDB takes no parameter, such as the target of COPY."""

from pathlib import Path


def sql_text(value: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def sql_name(*parts: str) -> str:
    """A name, such as schema and table, as SQL, whatever characters its parts have."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
