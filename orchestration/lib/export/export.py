"""The command `export`: a view or table function of the published file, with its filters, as files on the disk."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.export.connection import open_to_export
from orchestration.lib.export.files import BYTE_ORDER_MARK, FORMATS, ROWS_OF_A_SHEET, UTC_ZONE, Written, write
from orchestration.lib.export.relations import Query, query_of
from orchestration.lib.folders import make_private_folder
from orchestration.lib.problems import Problem, first_line, says_disk_is_full
from orchestration.lib.progress import announce, report
from orchestration.lib.settings import DATABASE_NAME, Settings
from orchestration.lib.sql import sql_text
from orchestration.lib.text import counted

# XLSX has no time zones: the instants of a row are written as the wall clock of its workspace, if that is listed.
_ZONE_OF_WORKSPACE = """
    coalesce((select timezone from reports.workspaces as w where w.workspace_id = exported.workspace_id), 'UTC')"""


@dataclass(frozen=True)
class Wanted:
    """What is to be exported, as somebody asked for it."""

    view: str
    first: date | None = None
    last: date | None = None
    filters: Sequence[tuple[str, str]] = ()
    format: str | None = None  # None: by the ending of `out`, or CSV
    out: Path | None = None  # None: a file in the folder `exports` of the data folder


def export(settings: Settings, wanted: Wanted, *, rows_of_a_sheet: int = ROWS_OF_A_SHEET) -> list[Path]:
    """Write the rows, and return the files. Each appears under its name when all are complete. Raises Problem."""
    if not settings.published.exists():
        raise Problem(f"Nothing is published yet: there is no {settings.published}", "Call make run")
    out, file_format = _target(settings, wanted)
    with (
        _named_problems(settings.published, out, wanted.view),
        tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder,
        contextlib.closing(open_to_export(settings.published, Path(folder), [settings.raw])) as connection,
    ):
        connection.execute(f"use {DATABASE_NAME}")
        source = _Connection(connection)
        query = query_of(source, wanted.view, wanted.first, wanted.last, wanted.filters)
        report("writing", 0, 1)
        written = _write(source, query, Path(folder), file_format, wanted.view, rows_of_a_sheet)
        targets = [out]
        if (files := len(written.paths)) > 1:
            targets = [out.with_stem(f"{out.stem}_{number}") for number in range(1, files + 1)]
            announce(f"a sheet has at most {rows_of_a_sheet:,} rows, so these are {files} files")
        for path, target in zip(written.paths, targets, strict=True):
            os.replace(path, target)
        report("writing", 1, 1)
        announce(counted(written.rows, "row", "rows"))
    return targets


def _write(
    source: "_Connection", query: Query, folder: Path, file_format: str, view: str, rows_of_a_sheet: int
) -> Written:
    written = write(
        source,
        query.sql,
        query.parameters,
        folder,
        file_format,
        name=view.rsplit(".", 1)[-1],
        rows_of_a_sheet=rows_of_a_sheet,
        zone=_ZONE_OF_WORKSPACE if "workspace_id" in query.columns else UTC_ZONE,
    )
    if file_format != "csv":
        return written
    (rows,) = written.paths
    marked = folder / "marked.csv"
    with marked.open("wb") as target, rows.open("rb") as unmarked:
        target.write(BYTE_ORDER_MARK)
        shutil.copyfileobj(unmarked, target, 1 << 20)
    return Written([marked], written.rows)


def _target(settings: Settings, wanted: Wanted) -> tuple[Path, str]:
    """Where the file goes, and its format."""
    ending = wanted.out.suffix.removeprefix(".").lower() if wanted.out else ""
    if ending not in ("", *FORMATS) and not wanted.format:
        raise Problem(
            f"{wanted.out} has an ending that is no format",
            f"Let it end in {_listed([f'.{one}' for one in FORMATS])}, or name the format with --format (FORMAT)",
        )
    file_format = wanted.format or ending or "csv"
    if wanted.out is None:
        name = "_".join(map(str, filter(None, (wanted.view.rsplit(".", 1)[-1], wanted.first, wanted.last))))
        folder = settings.data / "exports"
        with _named_problems(settings.published, folder / name, wanted.view):
            make_private_folder(folder)
        return folder / f"{name}.{file_format}", file_format
    out = wanted.out.absolute()
    if out.is_dir():
        raise Problem(f"{out} is a folder", "Name a file with --out (OUT)")
    if not out.parent.is_dir():
        raise Problem(f"There is no folder {out.parent}", "Make it, or name another file with --out (OUT)")
    if ending in FORMATS and ending != file_format:
        raise Problem(f"{out.name} is asked for as {file_format}", f"Call it {out.with_suffix(f'.{file_format}').name}")
    return out, file_format


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


@contextlib.contextmanager
def _named_problems(published: Path, out: Path, view: str) -> Iterator[None]:
    """Raises Problem for what an operator can cure."""
    try:
        yield
    except duckdb.InvalidInputException as error:
        # A report that refuses a value says which, and what is allowed.
        raise Problem(f"{view}: {first_line(error).removeprefix('Invalid Input Error: ')}") from None
    except duckdb.ConversionException as error:
        raise Problem(f"A filter of {view} has a value of another type ({first_line(error)})", "Correct it") from None
    except duckdb.PermissionException:
        # Only quality.landed_records reads other files.
        raise Problem(
            f"{view} reads the raw zone at the path it had when {published} was built", "Call make run"
        ) from None
    except duckdb.OutOfMemoryException as error:
        raise Problem(
            f"There is not enough memory or disk space for {out} ({first_line(error)})",
            "Free space, or ask for fewer days",
        ) from None
    except (OSError, duckdb.IOException) as error:
        if says_disk_is_full(str(error)):
            raise Problem(
                f"The disk that holds {out.parent} is full", "Free space, or name a file elsewhere with --out (OUT)"
            ) from None
        if isinstance(error, OSError):
            forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
            raise Problem(
                f"Nothing can be written into {out.parent} ({error.strerror or error})",
                f"{'Give yourself permission, or name' if forbidden else 'Name'} a file elsewhere with --out (OUT)",
            ) from None
        raise Problem(f"{published} cannot be read, or {out} not written ({first_line(error)})", "Run again") from None


class _Connection:
    """A connection as `files` needs one."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        result = self._connection.execute(sql, parameters)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def copy(self, sql: str, parameters: Mapping[str, object], path: Path, options: str) -> int:
        result = self._connection.execute(f"copy ({sql}) to {sql_text(path)} ({options})", parameters)
        return int(result.fetchall()[0][0])
