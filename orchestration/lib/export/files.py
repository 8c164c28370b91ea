"""Writes all rows of a query as CSV, XLSX or Parquet, in constant memory, as spreadsheet programs can take them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestration.lib.progress import report
from orchestration.lib.sql import sql_name, sql_text

FORMATS = ("csv", "xlsx", "parquet")

# A sheet has 1,048,576 rows, the header among them.
ROWS_OF_A_SHEET = 1_048_575
# Without it Excel reads a CSV file in the legacy encoding of the system. It comes before what is written here.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTC_ZONE = "'UTC'"

# A cell has at most 32,767 UTF-16 code units. A character has at most two.
_CHARACTERS_OF_A_CELL = 16_383
# Excel keeps 15 digits of a number. A column with a longer number is written as text.
_NUMBER_TOO_LARGE = 10**15
# The name of a sheet has at most 31 characters, and none of these.
_NAME_OF_A_SHEET = 31
_NOT_IN_THE_NAME_OF_A_SHEET = re.compile(r"[][:*?/\\'\x00-\x1f]")
# XML does not allow these characters. Excel refuses a file that has one.
_NOT_IN_XML = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"

# Types whose text is never a formula.
_SAFE_TYPES = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*|BOOLEAN|DATE|TIMESTAMP)")

Columns = Mapping[str, str]


class Source(Protocol):
    """What answers queries, and writes their rows."""

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The rows of a query."""

    def copy(self, sql: str, parameters: Mapping[str, object], path: Path, options: str) -> int:
        """Write the rows of a query into a file, with the options of COPY. Returns their number."""


@dataclass(frozen=True)
class Written:
    """The files of a query, and its number of rows."""

    paths: Sequence[Path]
    rows: int


def write(
    source: Source,
    sql: str,
    parameters: Mapping[str, object],
    folder: Path,
    kind: str,
    *,
    name: str,
    rows_of_a_sheet: int = ROWS_OF_A_SHEET,
    zone: str = UTC_ZONE,
) -> Written:
    """Write all rows of a query into a folder. `kind` is one of FORMATS, `name` becomes the name of a sheet.

    Makes one file, or as many XLSX files as the rows need sheets. XLSX has no time zones: `zone` is SQL for the one
    that the instants of a row of `exported` are written in. A CSV file lacks the byte order mark.
    """
    columns = columns_of(source, sql, parameters)
    path = folder / f"rows.{kind}"
    match kind:
        case "csv":
            rows = source.copy(
                f"select {_selected(columns, _as_csv)} from ({sql})", parameters, path, "format csv, header true"
            )
        case "parquet":
            rows = source.copy(sql, parameters, path, "format parquet")
        case "xlsx":
            return _write_sheets(source, columns, sql, parameters, folder, name, rows_of_a_sheet, zone)
        case _:
            raise ValueError(f"{kind} is none of {FORMATS}")
    return Written([path], rows)


def columns_of(source: Source, sql: str, parameters: Mapping[str, object]) -> Columns:
    """The columns of a query, with their types."""
    return {row["column_name"]: row["column_type"] for row in source.rows(f"describe {sql}", parameters)}


def _write_sheets(
    source: Source,
    columns: Columns,
    sql: str,
    parameters: Mapping[str, object],
    folder: Path,
    name: str,
    rows_of_a_sheet: int,
    zone: str,
) -> Written:
    # The query runs once. Each sheet reads its rows from this file. If the order of the query has ties, no row is
    # missing or repeated.
    rows = folder / "rows.parquet"
    source.copy(sql, parameters, rows, "format parquet")
    largest = ", ".join(
        ["count(*) as number_of_rows"]
        + [
            f"coalesce(max(abs({sql_name(column)}::hugeint)) >= {_NUMBER_TOO_LARGE}, false) as {sql_name(column)}"
            for column, type_ in columns.items()
            if type_ == "BIGINT"
        ]
    )
    (found,) = source.rows(f"select {largest} from read_parquet({sql_text(rows)})")
    typed = {column: "VARCHAR" if found.get(column) is True else type_ for column, type_ in columns.items()}
    selected = _selected(typed, lambda column, type_: _as_cell(column, type_, zone))
    starts = range(0, max(found["number_of_rows"], 1), rows_of_a_sheet)
    sheet = sql_text(_name_of_a_sheet(name))
    paths: list[Path] = []
    for number, start in enumerate(starts, 1):
        report("writing sheets", len(paths), len(starts))
        paths.append(folder / f"{number}.xlsx")
        source.copy(
            f"select {selected} from read_parquet({sql_text(rows)}, file_row_number = true) as exported "
            f"where file_row_number >= {start} and file_row_number < {start + rows_of_a_sheet} "
            "order by file_row_number",
            {},
            paths[-1],
            f"format xlsx, header true, sheet {sheet}",
        )
    report("writing sheets", len(starts), len(starts))
    rows.unlink()
    return Written(paths, found["number_of_rows"])


def _name_of_a_sheet(name: str) -> str:
    """The name, or the words of it that fit: half of a date would be another one."""
    name = _NOT_IN_THE_NAME_OF_A_SHEET.sub("_", name) or "rows"
    if len(name) <= _NAME_OF_A_SHEET:
        return name
    return name[: _NAME_OF_A_SHEET + 1].rpartition("_")[0] or name[:_NAME_OF_A_SHEET]


def _selected(columns: Columns, expression: Callable[[str, str], str]) -> str:
    return ", ".join(f"{expression(sql_name(name), type_)} as {sql_name(name)}" for name, type_ in columns.items())


def _as_csv(column: str, type_: str) -> str:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"replace(timezone('UTC', {column})::varchar, ' ', 'T') || 'Z'"
    if _SAFE_TYPES.fullmatch(type_):
        return column
    # A spreadsheet runs such a text as a formula. With an apostrophe it is text, as in respond.io's exports.
    return rf"regexp_replace({_as_text(column, type_)}, '^[=+@\t\r-]', '''\0')"


def _as_cell(column: str, type_: str, zone: str) -> str:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"timezone({zone}, {column})"
    if _SAFE_TYPES.fullmatch(type_):
        return column
    return f"left(regexp_replace({_as_text(column, type_)}, '{_NOT_IN_XML}', '\ufffd', 'g'), {_CHARACTERS_OF_A_CELL})"


def _as_text(column: str, type_: str) -> str:
    return f"array_to_string({column}, ', ')" if type_ == "VARCHAR[]" else f"{column}::varchar"
