"""Reads a spreadsheet in a process of its own, whose memory and time are limited.

A small file can need any amount of memory: a sheet with a cell in its last row and column is held as 17 billion cells,
and a file may unpack to a thousand times its size. The library that reads it then aborts its process, which no Python
code can catch.

Standard input is the file. Standard output has one JSON value a line: the names in the header, a text for each chunk
(`Chunk.text`, split into fields), and true at its end. Or an object with the problem and the cure, instead of any of
them. After true comes a list of the other sheets that have records, which the end of this process may cut off.
"""

import csv
import io
import json
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import python_calamine

from orchestration.lib.extraction.cells import Cell, texts_of
from orchestration.lib.extraction.encodings import FIELD_MARK, RECORD_MARK, with_marks
from orchestration.lib.extraction.spelling import SPELLINGS
from orchestration.lib.landing.file_types import NotReadable

_WORKBOOK = "xl/workbook.xml"
_BINARY_WORKBOOK = "xl/workbook.bin"


def main(task: dict[str, Any]) -> None:
    """Read the spreadsheet on standard input as the task says, which `sheets` writes."""
    # macOS does not limit the address space. There, only the sizes that the archive declares are checked.
    resource.setrlimit(resource.RLIMIT_AS, (task["memory_bytes"],) * 2)
    # The signal of the soft limit says what happened. At the hard limit it would be SIGKILL.
    resource.setrlimit(resource.RLIMIT_CPU, (task["cpu_seconds"], task["cpu_seconds"] + 1))
    try:
        file = io.BytesIO(sys.stdin.buffer.read())
        _check_archive(file, task["unpacked_bytes"])
        file.seek(0)
        for value in _read(file, task):
            _send(value)
    except NotReadable as error:
        problem, _, cure = str(error).partition("; ")
        _send({"problem": problem, "cure": cure})
    except python_calamine.CalamineError as error:
        _send({"problem": f"cannot be read as a spreadsheet ({error})", "cure": "save it again"})


def _send(value: object) -> None:
    print(json.dumps(value), flush=True)


def _check_archive(file: io.BytesIO, unpacked_bytes: int) -> None:
    """Raise NotReadable when the file is no complete XLSX file, or would unpack to more than so many bytes."""
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    # zipfile raises NotImplementedError for a version of the format that it does not read.
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise NotReadable(f"cannot be unpacked to its end ({error})", "save it again") from None
    if _BINARY_WORKBOOK in sizes:
        raise NotReadable("is a spreadsheet of another kind (.xlsb)", "save it as .xlsx")
    if _WORKBOOK not in sizes:
        raise NotReadable("is an archive that holds no spreadsheet", "save the sheet as .xlsx, or unpack the archive")
    if sum(sizes.values()) > unpacked_bytes:
        raise NotReadable(f"unpacks to more than {unpacked_bytes >> 20:,} MiB", "split it, or save its sheet as CSV")


def _read(file: io.BytesIO, task: dict[str, Any]) -> Iterator[object]:
    """The header of the first sheet that has a known one, the chunks of its records, and what comes after them."""
    spelled, known_names = SPELLINGS[task["spelling"]], frozenset(task["known_names"])

    def is_known(names: list[str]) -> bool:
        return any(spelled(name) in known_names for name in names)

    with python_calamine.load_workbook(file) as workbook:
        numbers = _visible(workbook)
        chosen = _chosen(workbook, numbers, is_known)
        if chosen is None:
            yield []
            yield True
            return
        sheet = workbook.get_sheet_by_index(chosen)
        header_row, names = _header(sheet)
        yield names
        yield from _chunks(sheet, header_row, len(names), task["chunk_bytes"], task["most_values"])
        yield True
        del sheet  # Each takes as much memory as there may be.
        yield [
            workbook.sheet_names[number]
            for number in numbers
            if number > chosen and _has_records(workbook.get_sheet_by_index(number), is_known)
        ]


def _visible(workbook: python_calamine.CalamineWorkbook) -> list[int]:
    """The positions of the sheets that are no charts and not hidden."""
    return [
        number
        for number, about in enumerate(workbook.sheets_metadata)
        if about.typ == python_calamine.SheetTypeEnum.WorkSheet
        and about.visible == python_calamine.SheetVisibleEnum.Visible
    ]


def _chosen(
    workbook: python_calamine.CalamineWorkbook, numbers: list[int], is_known: Callable[[list[str]], bool]
) -> int | None:
    """The position of the first sheet whose header is known, or else of the first one with anything in it."""
    others: list[int] = []
    for number in numbers:
        _, names = _header(workbook.get_sheet_by_index(number))
        if is_known(names):
            return number
        if names:
            others.append(number)
    return others[0] if others else None


def _has_records(sheet: python_calamine.CalamineSheet, is_known: Callable[[list[str]], bool]) -> bool:
    """Whether a sheet has a known header, and anything below it."""
    header_row, names = _header(sheet)
    return is_known(names) and any(
        any(texts_of(cells, frozenset())) for number, cells in enumerate(_rows(sheet), 1) if number > header_row
    )


def _header(sheet: python_calamine.CalamineSheet) -> tuple[int, list[str]]:
    """The number of the first row with anything in it, and its texts up to the last one; (0, []) without any."""
    for number, cells in enumerate(_rows(sheet), 1):
        names = texts_of(cells, frozenset())
        while names and not names[-1]:
            names.pop()
        if names:
            return number, [with_marks(name) for name in names]
    return 0, []


def _rows(sheet: python_calamine.CalamineSheet) -> Iterator[list[Cell]]:
    """All rows from the first one of the spreadsheet on."""
    return iter(sheet.iter_rows()) if sheet.start else iter(())


def _chunks(
    sheet: python_calamine.CalamineSheet, header_row: int, width: int, chunk_bytes: int, most_values: int
) -> Iterator[str]:
    """The records below the header. Rows with nothing in them are none."""
    with_times = frozenset(
        column for cells in _rows(sheet) for column, cell in enumerate(cells) if type(cell) is datetime
    )
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="")
    records: list[str] = []
    size = values = 0
    for number, cells in enumerate(_rows(sheet), 1):
        if number <= header_row:
            continue
        texts = texts_of(cells, with_times)
        if not any(texts):
            continue
        line.seek(0)
        line.truncate()
        writer.writerow(texts)
        # What stands right of the last name is not part of the record. The raw zone keeps it in the text of the row.
        fields = [with_marks(text) for text in (line.getvalue(), *texts[:width])]
        records.append(FIELD_MARK.join((str(number), *fields)))
        size += len(records[-1])
        values += width + 1
        if size >= chunk_bytes or values >= most_values:
            yield RECORD_MARK.join(records)
            records, size, values = [], 0, 0
    if records:
        yield RECORD_MARK.join(records)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
