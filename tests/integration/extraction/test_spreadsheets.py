"""A spreadsheet is read as a CSV file of the same rows: every cell as the text it means."""

import csv
import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.extraction.csv_reading import read_csv, records_of
from orchestration.lib.extraction.sheets import read_sheet
from orchestration.lib.landing.kinds import KINDS
from tests.integration.extraction.place import Place
from tests.spreadsheets import NOT_AVAILABLE, Value, Xml, as_typed, column_letters, formula, percent, sheet, table
from tests.spreadsheets import workbook as workbook_of

COLUMNS = ("event_id", "event_type", "occurred_at", "contact_id", "contact_name")


def texts_of(*cells: Value, is_1904: bool = False) -> list[str]:
    """The texts of the cells of a row."""
    header = ["event_id", *map(str, range(len(cells) - 1))]
    content = workbook_of(sheet([header, cells], is_1904=is_1904), is_1904=is_1904)
    return rows_of(content)[1][1]


def rows_of(content: bytes, kind: str = "events") -> list[tuple[int, list[str]]]:
    """The header, as row 0, and the records with their rows."""
    sheet = read_sheet(io.BytesIO(content), KINDS[kind])
    header, chunks = sheet.header, sheet.chunks
    records = [(line, fields) for chunk in chunks for line, _, fields in records_of(chunk, header.delimiter)]
    return [(0, list(header.names)), *records]


def test_numbers_dates_and_other_cells_become_the_text_they_mean() -> None:
    cells: dict[str, Value] = {
        "a text": "a text",
        "007": "007",
        " two\nlines ": " two\nlines ",
        "42": 42,
        "123": 123.0,
        "-5": -5,
        "0.3": 0.1 + 0.2,
        "0.0000001": 1e-7,
        "1714557600.25": 1714557600.25,
        "TRUE": True,
        "FALSE": False,
        "2026-03-01": date(2026, 3, 1),
        "2026-03-01 09:30:00": datetime(2026, 3, 1, 9, 30),
        "2026-03-01 09:30:07.250": datetime(2026, 3, 1, 9, 30, 7, 250_000),
        "12:00:00": time(12),
        "36:30:00": timedelta(hours=36, minutes=30),
        "0.5": percent(0.5),
        "computed": formula("A1", "computed"),
        "7": formula("3+4", 7),
        "rich text": Xml('t="inlineStr"', '<is><r><t>rich</t></r><r><t xml:space="preserve"> text</t></r></is>'),
        "2026-03-01T10:00:00Z": Xml('t="d"', "<v>2026-03-01T10:00:00Z</v>"),
    }

    assert texts_of(*cells.values()) == list(cells)


def test_an_error_a_formula_without_a_value_and_a_cell_that_is_not_there_are_empty() -> None:
    assert texts_of(NOT_AVAILABLE, formula("A1", None), None, "x") == ["", "", "", "x"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (999_999_999_999_999, "999999999999999"),
        (1_762_770_000_123_456, "1762770000123456"),
        (2**53 - 1, "9007199254740991"),
        # Excel has written zeros for the digits after the 15th.
        (1_762_770_000_123_450, "1.76277000012345E+15"),
        (2**53, "9.00719925474099E+15"),
        (2e15, "2E+15"),
        (1.76277e18, "1.76277E+18"),
    ],
)
def test_a_long_number_is_whole_or_in_the_notation_that_is_rejected(number: float, text: str) -> None:
    assert texts_of(number) == [text]
    assert texts_of(str(int(number))) == [str(int(number))]


def test_dates_count_from_1904_where_the_file_says_so() -> None:
    days = (date(2026, 3, 1), datetime(2026, 3, 1, 9, 30))

    assert texts_of(*days, is_1904=True) == texts_of(*days) == ["2026-03-01", "2026-03-01 09:30:00"]


def test_midnight_has_its_time_in_a_column_where_others_have_one() -> None:
    midnight, noon = datetime(2026, 3, 1), datetime(2026, 3, 1, 12)

    rows = rows_of(table([["event_id", "occurred_at"], [midnight, midnight], [midnight, noon]]))

    assert [fields for _, fields in rows[1:]] == [
        ["2026-03-01", "2026-03-01 00:00:00"],
        ["2026-03-01", "2026-03-01 12:00:00"],
    ]


def test_empty_rows_and_columns_around_the_table_do_not_count_and_lines_are_rows_of_the_spreadsheet() -> None:
    rows: list[list[Value]] = [[], [*COLUMNS, None, None], [], ["x", "added", "t", 1], [None, ""], ["y"]]

    content = workbook_of(sheet(rows, first_row=3, first_column=4))

    assert rows_of(content) == [
        (0, list(COLUMNS)),
        (6, ["x", "added", "t", "1", ""]),
        (8, ["y", "", "", "", ""]),
    ]


def test_what_stands_beside_the_table_is_kept_and_no_field(place: Place) -> None:
    place.land("1/events/a.xlsx", table([["event_id", "event_type"], ["x", "added", None, "a note"]]))

    assert place.extract().warnings == []

    (event,) = place.events()
    assert (event["event_id"], event["event_type"], event["parse_error"]) == ("x", "added", None)
    assert event["raw_record"] == "x,added,,a note"


def test_of_merged_cells_the_first_one_has_the_value() -> None:
    merged = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>event_id</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    )
    content = workbook_of(f'{merged}</sheetData><mergeCells count="1"><mergeCell ref="A2:B3"/></mergeCells><sheetData>')

    assert rows_of(content) == [(0, ["event_id"]), (2, ["1"])]


@pytest.mark.parametrize(
    ("kind", "names"),
    [("events", ["EVENT_ID ", "event_type"]), ("report_logs", ["Horodatage", "ID du contact"]), ("users", ["user_id"])],
)
def test_the_first_visible_sheet_with_a_known_header_is_read(kind: str, names: list[str]) -> None:
    about, other, hidden, wanted = sheet([["About this file"]]), sheet([]), sheet([names, ["1"]]), sheet([names, ["2"]])

    assert rows_of(workbook_of(about, other, hidden, wanted, hidden, hidden=[2]), kind)[1][1][0] == "2"


def test_without_a_known_header_the_first_sheet_with_anything_is_read() -> None:
    content = workbook_of(sheet([]), sheet([["Marca de tiempo"], ["1"]]), sheet([["x"], ["2"]]))

    assert rows_of(content, "report_logs") == [(0, ["Marca de tiempo"]), (2, ["1"])]


def test_an_empty_spreadsheet_is_loaded_and_has_no_records(place: Place) -> None:
    place.land("1/events/a.xlsx", workbook_of(sheet([])))
    place.land("1/report_logs/contacts-added.xlsx", workbook_of(sheet([]), sheet([])))

    result = place.extract()

    assert (result.files, result.warnings) == (3, [])
    assert place.loaded("1/events/a.xlsx")[0]["records"] == 0


# Text that XML can hold. A CSV file has no way to write NUL, or a carriage return outside of quotes.
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)
_VALUES = st.one_of(
    _TEXT,
    st.integers(-(10**15) + 1, 10**15 - 1).map(str),
    # Never midnight: whether such a cell shows its time is known from the other cells of its column.
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.strftime("%Y-%m-%d 10:%M:%S")),
    st.sampled_from(
        ("TRUE", "-", "=1+1", "a,b", 'a "quoted" word', "\ufdd0", "x\ufdd1y\ufdd3", "1.76277E+15", "00123")
    ),
)
_ROWS = st.lists(st.lists(_VALUES, min_size=5, max_size=5).filter(any), max_size=8)


@settings(max_examples=40, deadline=None)
@given(rows=_ROWS)
def test_the_same_rows_as_csv_and_as_xlsx_are_the_same_records(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *rows])
    header, chunks = read_csv(io.BytesIO(text.getvalue().encode()), compressed=False)
    as_csv = [(line, fields) for chunk in chunks for line, _, fields in records_of(chunk, header.delimiter)]

    as_xlsx = rows_of(table([COLUMNS, *([as_typed(value) for value in row] for row in rows)]))

    assert as_xlsx == [(0, list(header.names)), *as_csv]


def _many(count: int) -> Iterator[Sequence[Value]]:
    yield COLUMNS
    for number in range(count):
        yield number, "added", "t", number, "é"


def test_a_large_sheet_is_read_in_chunks(place: Place, tiny_chunks: None) -> None:
    place.land("1/events/a.xlsx", table(_many(500)))

    assert place.extract().records == 502
    assert [event["source_line"] for event in place.events()] == list(range(2, 502))
    assert len(place.parquet("events")) > 5


@pytest.mark.parametrize("more", [1, 7])
def test_other_sheets_with_records_are_named_in_a_warning_once(place: Place, more: int) -> None:
    about, known = sheet([["About this file"]]), sheet([COLUMNS, ["x", "added", "t", 1, "Ann"]])
    only_a_header, other_table = sheet([COLUMNS]), sheet([["Colour"], ["red"]])
    content = workbook_of(about, known, only_a_header, other_table, known, *[known] * more, hidden=[4])
    place.land("1/events/a.xlsx", content)

    (warning,) = place.extract().warnings

    names = "'Sheet6'" if more == 1 else "'Sheet6', 'Sheet7', 'Sheet8', 'Sheet9', 'Sheet10' and 2 more"
    assert warning == (
        f"1/events/a.xlsx has more sheets with records, which are not read: {names}. Save each as a file of its own"
    )
    assert [event["source_line"] for event in place.events()] == [2]
    assert place.extract().warnings == []


def test_a_file_is_read_though_another_of_its_sheets_takes_too_much_memory(place: Place) -> None:
    place.limits = replace(place.limits, sheet_memory_bytes=256 << 20)
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    place.land("1/events/a.xlsx", workbook_of(sheet([COLUMNS, ["x", "added", "t", 1, "Ann"]]), far))

    assert place.extract().warnings == []
    assert [event["event_id"] for event in place.events()] == ["x"]


# ---- Files that cannot be read ----

GOOD = table([COLUMNS, ["x", "added", "t", 1, "Ann"]])
OLD_KIND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000)


def _zipped(**parts: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def _with_part(content: bytes, name: str, part: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _zipped(**{other: archive.read(other) for other in archive.namelist()} | {name: part})


def _sparse(cell: str, row: int) -> bytes:
    return workbook_of(f'<row r="1"><c r="A1"><v>1</v></c></row><row r="{row}"><c r="{cell}{row}"><v>1</v></c></row>')


FIRST_SHEET = "xl/worksheets/sheet1.xml"
BROKEN = {
    "truncated": (GOOD[: len(GOOD) // 2], "cannot be unpacked to its end"),
    "cut by a byte": (GOOD[:-1], "cannot be unpacked to its end"),
    "an old spreadsheet, or a password": (OLD_KIND, "without a password"),
    "text": (b"event_id,event_type\nx,added\n", "name it .csv if it is text"),
    "a web page": (b"<!doctype html><html>", "is a web page"),
    "XML": (b'<?xml version="1.0"?><Workbook/>', "is XML"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is a picture"),
    "nothing": (b"", "is empty"),
    "zeros": (bytes(1000), "zero bytes"),
    "an archive": (_zipped(**{"a.csv": b"x"}), "is an archive that holds no spreadsheet"),
    "a document": (_zipped(**{"[Content_Types].xml": b"x", "word/document.xml": b"x"}), "holds no spreadsheet"),
    "OpenDocument": (_zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "is an OpenDocument"),
    "binary": (_zipped(**{"[Content_Types].xml": b"x", "xl/workbook.bin": b"x"}), "(.xlsb); save it as .xlsx"),
    "broken XML": (_with_part(GOOD, FIRST_SHEET, b"<worksheet><sheetData><row r="), "cannot be read"),
    "no sheet": (_with_part(GOOD, "xl/workbook.xml", b"no XML"), "cannot be read"),
    "a sheet with one far cell": (_sparse("XFD", 1_048_576), "MiB of memory"),
    "too many columns": (table([[f"event_{i}" for i in range(2001)]]), "2,001 columns"),
    "a header of 100 KB": (table([["event_id" + "x" * 100_000]]), "is no header"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read_is_refused_with_one_line_and_stops_nothing(name: str, place: Place) -> None:
    content, words = BROKEN[name]
    place.land("1/events/a.xlsx", content)
    place.land("1/events/b.xlsx", GOOD)

    for expected_files in (2, 0):
        result = place.extract()
        assert result.files == expected_files
        (warning,) = result.warnings
        assert warning.startswith("1/events/a.xlsx is not loaded: it ")
        assert words in warning
        assert ";" in warning and "\n" not in warning
    assert [event["event_id"] for event in place.events()] == ["x"]


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(place: Place) -> None:
    place.limits = replace(place.limits, sheet_unpacked_bytes=10 << 20)
    place.land("1/events/a.xlsx", workbook_of(" " * (11 << 20)))

    (warning,) = place.extract().warnings

    assert "unpacks to more than 10 MiB; split it" in warning


def test_a_file_that_hides_how_much_it_unpacks_to_ends_its_own_process_only(place: Place) -> None:
    place.limits = replace(place.limits, sheet_memory_bytes=256 << 20)
    rows = '<row><c t="inlineStr"><is><t>abc</t></is></c></row>' * 3_000_000
    content = bytearray(workbook_of(rows))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo(FIRST_SHEET).file_size
    claimed = content.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    place.land("1/events/a.xlsx", bytes(claimed))

    (warning,) = place.extract().warnings

    assert "is not loaded" in warning and ("256 MiB of memory" in warning or "cannot be read" in warning)


@pytest.mark.slow
def test_a_file_that_takes_too_long_is_refused(place: Place) -> None:
    place.limits = replace(place.limits, sheet_cpu_seconds=1)
    place.land("1/events/a.xlsx", table(_many(400_000)))

    (warning,) = place.extract().warnings

    assert "takes more than 1 seconds to read; split it" in warning


def test_a_spreadsheet_that_changes_while_it_is_read_is_left_for_the_next_run(place: Place) -> None:
    file = place.land("1/events/a.xlsx", GOOD)
    place.extract()
    before = len(place.events())

    file.write_bytes(table([COLUMNS, ["y", "added", "t", 2, "Bo"]]))

    assert place.extract().files == 1
    assert [event["event_id"] for event in place.events()] == ["x", "y"] and before == 1


def test_no_process_is_left_behind(place: Place) -> None:
    for number, (content, _) in enumerate(BROKEN.values()):
        place.land(f"1/events/{number}.xlsx", content)

    place.extract()

    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    assert not children.exists() or "sheet_child" not in _commands(children.read_text().split())


def _commands(processes: Sequence[str]) -> str:
    return " ".join(Path(f"/proc/{process}/cmdline").read_text() for process in processes)


def test_columns_have_letters() -> None:
    assert [column_letters(number) for number in (1, 26, 27, 702, 703, 16_384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


def test_spreadsheets_are_taken_wherever_a_csv_is_but_for_the_list_of_workspaces(place: Place) -> None:
    for folder in ("events", "report_logs", "data_export", "users", "channels"):
        place.land(f"1/{folder}/a.XLSX", GOOD)
    place.land("1/webhooks/a.xlsx", GOOD)
    place.land("1/events/b.xlsx.gz", GOOD)
    place.land("workspaces.xlsx", GOOD)

    result = place.extract()

    assert result.files == 6
    assert sorted(warning.split(" is not read")[0] for warning in result.warnings) == [
        "1/events/b.xlsx.gz",
        "1/webhooks/a.xlsx",
        "workspaces.xlsx",
    ]
