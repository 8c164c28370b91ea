"""Shows that reading CSV in chunks finds the same records as reading the whole file by the csv module."""

import csv
import io
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.lib.extraction.chunks import read_lines
from orchestration.lib.extraction.csv_reading import CsvHeader, read_csv
from orchestration.lib.extraction.limits import Limits
from orchestration.lib.landing.file_types import NotReadable
from tests.unit.difficult_text import (
    BOM,
    chunk_sizes,
    csv_of,
    expected_records,
    is_blank,
    lines_of,
    marked,
    nasty_bytes,
    nasty_bytes_with_lone_returns,
    physical_lines,
    records_of,
    thorough,
    without_boms,
    without_line_ending,
)

# Headers of one and more columns, which neither semicolon nor tab would separate better.
HEADERS = (b"a\n", b"a,b\n", b"a,b,c\n")


@st.composite
def written_csv(draw: st.DrawFn) -> tuple[bytes, list[list[str]], str]:
    """A file as a csv.writer makes it, the rows that were written, and the delimiter."""
    delimiter = draw(st.sampled_from(",;"))
    written = io.StringIO(newline="")
    writer = csv.writer(
        written,
        delimiter=delimiter,
        quoting=draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))),
        lineterminator=draw(st.sampled_from(("\n", "\r\n"))),
    )
    width = draw(st.integers(2, 4))
    # A line inside quotes that looks like a record is one, and where it has the wrong number of fields it may.
    one_line, no_separator = (st.text(st.sampled_from(f'ab"é🦆 \\\t\u2028{more}'), max_size=6) for more in (",;", "\n"))
    wide = st.lists(one_line | no_separator, min_size=width, max_size=width)
    ragged = st.lists(one_line, min_size=2, max_size=6)
    # The first row has no comma in a name: what separates the fields must be plain to see.
    rows = [[f"name{i}" for i in range(width)], *draw(st.lists(wide | ragged, max_size=12))]
    writer.writerows(rows)
    data = written.getvalue().encode()
    return draw(st.sampled_from((b"", BOM))) + data, rows, delimiter


@thorough
@given(written_csv(), chunk_sizes)
def test_the_rows_a_csv_writer_wrote_are_read_again(
    written: tuple[bytes, list[list[str]], str], chunk_bytes: int
) -> None:
    data, (names, *rows), delimiter = written

    header, records = csv_of(data, chunk_bytes)

    assert header == CsvHeader(tuple(names), delimiter)
    assert [fields for _, _, fields in records] == [row for row in rows if not is_blank(delimiter.join(row))]


@thorough
@given(st.sampled_from(HEADERS), nasty_bytes, chunk_sizes)
@example(b"a,b\n", b'c,"d\n\n', 1)
@example(b"a\n", b'\xc2\xa0\n"', 1)
@example(b"a\n", b'\x0b\n"', 3)
def test_records_of_csv_are_those_of_the_csv_module_but_for_quotes_that_were_never_meant(
    header: bytes, rows: bytes, chunk_bytes: int
) -> None:
    expected = expected_records(without_boms(marked(header + rows)), ",", header.count(b",") + 1)

    _, records = csv_of(header + rows, chunk_bytes)

    assert records == expected[1:]


LINES_OF_STRAY_QUOTES = ('"', '""', ",", ",", "a", "b", "\n", "\n", "1,2,3\n", '1,"2,3\n', '1,2,"\n', '"1\n2",3,4\n')


@settings(max_examples=1000, deadline=None)
@given(st.integers(1, 4), st.lists(st.sampled_from(LINES_OF_STRAY_QUOTES), max_size=30).map("".join), chunk_sizes)
def test_quotes_that_were_never_meant_cost_only_their_line_wherever_they_stand(
    width: int, rows: str, chunk_bytes: int
) -> None:
    header = ",".join("abcd"[:width]) + "\n"

    _, records = csv_of((header + rows).encode(), chunk_bytes)

    assert records == expected_records(header + rows, ",", width)[1:]


@thorough
@given(nasty_bytes_with_lone_returns, chunk_sizes)
@example(b'"\n\r', 1)
@example(b"1\r\r\n2\r\r\n", 4)
@example(b'\xc2\xa0\n"', 1)
def test_records_of_csv_do_not_depend_on_the_chunks(rows: bytes, chunk_bytes: int) -> None:
    data = b"a,b\n" + rows

    assert csv_of(data, chunk_bytes) == csv_of(data)


@thorough
@given(nasty_bytes_with_lone_returns, chunk_sizes)
@example(b'1,"\n\n', 1)
@example(b'"\n\xc2\xa0\n"\n\x0b', 1)
def test_every_line_of_csv_is_blank_or_in_a_record(rows: bytes, chunk_bytes: int) -> None:
    lines = physical_lines(without_boms("a,b\n" + marked(rows)))

    _, records = csv_of(b"a,b\n" + rows, chunk_bytes)

    unread = dict(enumerate(lines, 1))
    for number, raw, _ in records:
        height = raw.count("\n") + 1
        assert raw == without_line_ending("".join(unread.pop(number + i) for i in range(height)))
    assert [line for line in unread.values() if not is_blank(line)] == ["a,b\n"]


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        ("event_id;contact_id", ";"),
        ("event_id;name, first;contact_id;note, a, b, c", ";"),
        ("event_id,a;b;c;d,contact_id", ","),
        ("event_id\tcontact_id\ta,b,c,d", "\t"),
        ('"event_id";"contact_id";"a,b"', ";"),
        ("event_id", ","),
        # Where no name is known, there are to be many names.
        ("x;y;z,w", ";"),
        ("x\ty", "\t"),
        ("x;y,z", ","),
        ('"x;y"', ","),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 100])
def test_the_separator_that_yields_the_most_known_names_separates(
    header: str, separator: str, chunk_bytes: int
) -> None:
    known = {"event_id", "contact_id", "source", "user_id"}
    data = f"\n{header}\n1{separator}2\n".encode()

    found, chunks = read_csv(
        io.BytesIO(data), compressed=False, is_known=known.__contains__, limits=Limits(chunk_bytes=chunk_bytes)
    )

    assert found.delimiter == separator
    assert list(records_of(chunks, separator)) == [(3, f"1{separator}2", ["1", "2"])]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|", "^"])
@pytest.mark.parametrize("start", ["sep={}\n", "\ufeffsep={}\r\n", "\n\r\nSep={}\r\n", '"sep={}"\n'])
def test_a_first_line_that_names_the_separator_is_obeyed_and_counted(separator: str, start: str) -> None:
    start = start.format(separator)
    data = f"{start}a,b{separator}c;d\n1{separator}2\n".encode()

    for chunk_bytes in (1, 10, 100):
        header, records = csv_of(data, chunk_bytes)

        assert header == CsvHeader((*f"a,b{separator}c;d".split(separator),), separator)
        assert records == [(start.count("\n") + 2, f"1{separator}2", ["1", "2"])]


def test_a_line_that_names_a_separator_is_a_record_anywhere_else() -> None:
    assert csv_of(b"a,b\nsep=;\n")[1] == [(2, "sep=;", ["sep=;"])]
    assert csv_of(b"sep=;\n") == (CsvHeader((), ","), [])
    assert csv_of(b"sep=;\nsep=,\n1\n") == (CsvHeader(("sep=,",), ";"), [(3, "1", ["1"])])


QUOTED = """a,b,c
1,2,3
{}
4,5,6
7,8,9
"""


@pytest.mark.parametrize(
    "line",
    ['"1,2,3', '1,"2,3', '1,2,"3', '1,2,"', '1,",3', '",2,3', '1,"2"",3', '1,"2,"x",3,4', '1,2,"""', '1,2,"3,"'],
)
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_quote_that_is_not_closed_costs_only_its_own_line(line: str, times: int, separator: str, ending: str) -> None:
    text = QUOTED.format("\n".join([line] * times)).replace(",", separator).replace("\n", ending)

    for chunk_bytes in (1, 7, 1000):
        _, records = csv_of(text.encode(), chunk_bytes)

        well_formed = [(number, fields) for number, _, fields in records if fields and len(fields) == 3]
        # A quote that is alone in the first column is closed by the next such line, as far as anybody can tell.
        swallowed = line == '",2,3' and times > 1
        assert (
            swallowed
            or line == '1,2,"""'
            and times > 1
            or well_formed[-2:]
            == [
                (3 + times, ["4", "5", "6"]),
                (4 + times, ["7", "8", "9"]),
            ]
        )


@pytest.mark.parametrize(
    "fields",
    [
        ["two\nlines", "2", "3"],
        ["1", "two\nlines", "3"],
        ["1", "2", "two\nlines"],
        ["ends with a break\n", "2", "3"],
        ["1", "2", "\n"],
        ["1", "\n\nthree, with one\ncomma each, \n", "3"],
        ["two\nlines", "three\n\nlines", 'a "quoted"\nword'],
        ['"', '\n"\n', '"\n"'],
    ],
)
def test_a_field_that_was_meant_to_have_line_breaks_is_one_field(fields: list[str]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows([["a", "b", "c"], fields, ["4", "5", "6"]])

    for chunk_bytes in (1, 7, 1000):
        _, records = csv_of(written.getvalue().encode(), chunk_bytes)
        assert [found for _, _, found in records] == [fields, ["4", "5", "6"]]
        assert [number for number, _, _ in records] == [2, 3 + "".join(fields).count("\n")]


def test_a_line_with_the_headers_number_of_fields_is_never_inside_a_quoted_field() -> None:
    _, records = csv_of(b'a,b,c\n1,2,"3\n4,5,6\n7"\n8,9,10\n')

    assert [(number, raw, fields) for number, raw, fields in records] == [
        (2, '1,2,"3', None),
        (3, "4,5,6", ["4", "5", "6"]),
        (4, '7"', ['7"']),
        (5, "8,9,10", ["8", "9", "10"]),
    ]


def test_where_the_header_has_one_column_any_text_may_be_inside_quotes_that_are_closed() -> None:
    _, records = csv_of(b'a\n"1\n2\n3"\n4\n"5\n6\n')

    assert records == [(2, '"1\n2\n3"', ["1\n2\n3"]), (5, "4", ["4"]), (6, '"5', None), (7, "6", ["6"])]


def test_a_header_may_have_a_quote_that_was_never_meant() -> None:
    header, records = csv_of(b'event_id,"contact_id,source\n1,2,3\n"4",5,6\n')

    assert header.names == ("event_id", "contact_id", "source")
    assert [(number, fields) for number, _, fields in records] == [(2, ["1", "2", "3"]), (3, ["4", "5", "6"])]


@pytest.mark.parametrize(
    "line", [b'1,"2\n', b'"x","y\n', b'x","y\n', b"x\n", b'",\n', b'"",""x,"\n'], ids=lambda line: line.decode().strip()
)
def test_quotes_that_are_not_closed_take_as_long_as_any_others(line: bytes) -> None:
    """If what follows were looked at again for each of them, this would take minutes."""
    count = 30_000
    start = time.process_time()

    _, records = csv_of(b'a,b,c,d,e\n"\n' + line * count)

    assert time.process_time() - start < 5
    assert sum(raw.count("\n") + 1 for _, raw, _ in records) == count + 1


def test_a_quote_is_not_looked_for_further_than_a_record_may_be_long() -> None:
    limits = Limits(chunk_bytes=1000, longest_record_bytes=10_000)
    filler = b"x\n" * 1000
    read: list[int] = []

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            read.append(len(data))
            return data

    _, chunks = read_csv(Counting(b'a,b\n1,"2\n' + filler * 10), compressed=False, limits=limits)
    first = next(records_of(chunks, ","))

    assert first == (2, '1,"2', None)
    assert sum(read) < 5000


def test_files_that_were_joined_with_their_headers_are_one_file() -> None:
    for quote in ("", '"'):
        text = f"\ufeff\ufeffa,b\r\n{quote}1{quote},2\r\n\ufeffa,b\r\n3,4\r\n\ufeff5,6\r\na,b\r\n"
        for chunk_bytes in (1, 8, 1000):
            _, records = csv_of(text.encode(), chunk_bytes)
            assert [(number, fields) for number, _, fields in records] == [
                (2, ["1", "2"]),
                (4, ["3", "4"]),
                (5, ["5", "6"]),
                (6, ["a", "b"]),
            ]


@pytest.mark.parametrize("header", ["x" * 70_000, ",".join("x" * 2001)])
def test_a_header_that_would_be_kept_with_each_record_is_bounded(header: str) -> None:
    with pytest.raises(NotReadable, match=r"columns, and at most|no header"):
        csv_of(header.encode() + b"\n1\n")


def test_lines_without_records_and_lines_of_few_characters_come_in_chunks_of_few_values() -> None:
    limits = Limits(most_values=100)
    data = b"\n" * 1000 + b"a,b\n" * 500 + b"\n" * 1000 + b",,,,\n" * 40

    lines = list(read_lines(io.BytesIO(data), compressed=False, limits=limits))
    _, chunks = read_csv(io.BytesIO(data), compressed=False, limits=limits)

    assert [number for number, line in lines_of(iter(lines)) if line][:2] == [1001, 1002]
    assert all(chunk.text.count("\n") <= 100 for chunk in lines)
    csv_chunks = list(chunks)
    assert all(chunk.text.count("\n") + chunk.text.count(",") <= 100 for chunk in csv_chunks)
    assert [number for number, _, _ in records_of(iter(csv_chunks), ",")] == [*range(1002, 1501), *range(2501, 2541)]


def test_names_in_a_header_are_as_they_are_written() -> None:
    assert csv_of(b'\n \n Event_ID ,"two\nlines",,X\n')[0].names == (" Event_ID ", "two\nlines", "", "X")


def test_lines_are_counted_through_blank_lines_and_line_breaks_in_quotes() -> None:
    data = b'\r\n"na\r\nme",other\r\n1,2\r\n\r\n"3\n\n",4\n   \n5,6\n7,"8\n'

    for chunk_bytes in range(1, len(data) + 2):
        _, records = csv_of(data, chunk_bytes)
        assert records == [
            (4, "1,2", ["1", "2"]),
            (6, '"3\n\n",4', ["3\n\n", "4"]),
            (10, "5,6", ["5", "6"]),
            (11, '7,"8', None),
        ]


def test_a_quote_that_never_closes_costs_only_its_line() -> None:
    _, records = csv_of(b'a,b\n1,"2\n\n3,4\n')

    assert records == [(2, '1,"2', None), (4, "3,4", ["3", "4"])]


def test_a_record_that_cannot_be_split_is_kept_and_the_next_one_is_read() -> None:
    _, records = csv_of(b'a,b\n"1",2\n3\r4,5\n"6",7\n')

    assert records == [(2, '"1",2', ["1", "2"]), (3, "3\r4,5", None), (4, '"6",7', ["6", "7"])]


def test_a_field_may_be_longer_than_the_csv_module_allows_by_default() -> None:
    name = "x" * 300_000

    assert csv_of(f'a,b\n"{name}",2\n'.encode())[1][0][2] == [name, "2"]


@pytest.mark.parametrize("data", [b"", BOM, b"\n\n", b" \r\n\t\n", BOM + b"\n"])
def test_a_csv_file_of_nothing_has_neither_names_nor_records(data: bytes) -> None:
    assert csv_of(data, 1) == (CsvHeader((), ","), [])
