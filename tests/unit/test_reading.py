"""Shows that reading in chunks finds the same records as reading the whole file, and loses no byte of it."""

import codecs
import csv
import gzip
import hashlib
import io
import re
import time
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.lib.extraction import reading
from orchestration.lib.extraction.reading import (
    BYTES_MARK,
    CHUNK_MARK,
    FIELD_MARK,
    INVALID_BYTE_MARK,
    RECORD_MARK,
    Chunk,
    CsvHeader,
    HashingStream,
    checksum,
    read_csv,
    read_lines,
)
from orchestration.lib.landing.file_types import NotReadable

BOM = b"\xef\xbb\xbf"
Record = tuple[int, str, list[str] | None]

# Everything that ends, quotes, separates or only looks as if it did; what Python calls white space and others do not;
# bytes that are no UTF-8, alone or in the middle of a character; the marks that reading itself puts into a text.
NASTY = [
    *(b'"', b'""', b'"a', b'b"', b",", b";", b"\n", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"a", b"b,c", b"\\"),
    *(text.encode() for text in ("\ufeff", "é", "🦆", "\u00a0", "\u0085", "\u2028", "\x0b", "\x1c", "\x00")),
    *(b"\xff", b"\xc3", b"\xa9", b"\xf0\x9f", b"\xed\xa0\x80", b"\xef\xb7"),
    *(mark.encode() for mark in (INVALID_BYTE_MARK, FIELD_MARK, RECORD_MARK, CHUNK_MARK, BYTES_MARK, "\ufdd5")),
]
nasty_bytes = st.lists(st.sampled_from(NASTY), max_size=40).map(b"".join)
nasty_bytes_with_lone_returns = st.lists(st.sampled_from([*NASTY, b"\r", b"\r\r\n"]), max_size=40).map(b"".join)
chunk_sizes = st.integers(1, 70)
# Headers of one and more columns, which neither semicolon nor tab would separate better.
HEADERS = (b"a\n", b"a,b\n", b"a,b,c\n")
thorough = settings(max_examples=200, deadline=None)


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


def is_blank(text: str) -> bool:
    """What `decoding` takes for a blank line, where a line is a record."""
    return re.search(r"[^ \t\n\f\r]", text) is None


def marked(data: bytes) -> str:
    """The text of bytes, its invalid bytes and its marks marked: another way to what reading does."""
    text = data.decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff\ufdd0-\ufdd4]", lambda match: mark_bytes(match[0]), text)


def mark_bytes(character: str) -> str:
    return "".join(f"{INVALID_BYTE_MARK}{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def unmarked(text: str) -> bytes:
    """The bytes that a text with marks was read from."""
    parts = re.split(f"{INVALID_BYTE_MARK}([0-9A-F]{{2}})", text)
    return b"".join(bytes.fromhex(part) if i % 2 else part.encode() for i, part in enumerate(parts))


def physical_lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def without_line_ending(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def without_boms(text: str) -> str:
    """Without the byte order marks that start the file or a line."""
    return re.sub("(?m)^\ufeff+", "", text)


def height(lines: list[str], separator: str, width: int) -> int:
    """How many of the lines the first record has, whose quotes are told one by one; 0: its quote was never meant."""
    at_start, quoted, in_first_column = True, False, False
    for number, line in enumerate(lines):
        begins_in_quotes = quoted
        before_closing: str | None = None
        separators = 0
        i = 0
        while i < len(line):
            if quoted and line[i : i + 2] == '""':
                i += 1
            elif quoted and line[i] == '"':
                if number and before_closing is None:
                    if begins_in_quotes and line[i + 1 : i + 2] not in (separator, "\n", "\r", ""):
                        return 0
                    before_closing = line[:i]
                quoted = at_start = False
            elif not quoted and at_start and line[i] == '"':
                quoted, in_first_column_now = True, number == 0 and i == 0
            elif not quoted:
                at_start = line[i] == separator
            separators += line[i] == separator and (not quoted or begins_in_quotes and before_closing is None)
            i += 1
        is_record = begins_in_quotes and width > 1 and separators + 1 == width
        if is_record and (before_closing is None or not in_first_column or separator in before_closing):
            return 0
        if not quoted:
            return number + 1
        in_first_column = in_first_column_now if number == 0 else in_first_column and before_closing is None
    return 0


def expected_records(text: str, separator: str, width: int) -> list[Record]:
    """The records of a text by the rule of the contract, each looked for on its own in all that follows."""
    lines = physical_lines(text)
    records: list[Record] = []
    start = 0
    while start < len(lines):
        count = height(lines[start:], separator, width)
        taken = lines[start : start + max(count, 1)]
        raw = without_line_ending("".join(taken))
        if not is_blank(raw):
            fields = next(csv.reader(taken, delimiter=separator)) if count else None
            records.append((start + 1, raw, fields))
        start += len(taken)
    return records


def lines_of(chunks: Iterator[Chunk]) -> Iterator[tuple[int, str]]:
    for chunk in chunks:
        assert not chunk.split_into_fields
        yield from enumerate(chunk.text.removesuffix("\n").split("\n"), chunk.first_line)


def records_of(chunks: Iterator[Chunk], delimiter: str) -> Iterator[Record]:
    """The records of chunks, taken apart as `decoding` does it."""
    for chunk in chunks:
        if not chunk.split_into_fields:
            for number, line in lines_of(iter([chunk])):
                line, _, _ = line.partition(BYTES_MARK)
                if not is_blank(line):
                    yield number, line, line.split(delimiter)
            continue
        for record in chunk.text.split(RECORD_MARK):
            first_line, raw, *fields = record.split(FIELD_MARK)
            yield int(first_line), raw.partition(BYTES_MARK)[0], fields or None


def csv_of(data: bytes, chunk_bytes: int = reading.CHUNK_BYTES) -> tuple[CsvHeader, list[Record]]:
    header, chunks = read_csv(io.BytesIO(data), compressed=False, chunk_bytes=chunk_bytes)
    return header, list(records_of(chunks, header.delimiter))


def text_of(data: bytes, *, compressed: bool = False, chunk_bytes: int = 10) -> bytes:
    """The bytes that read_lines makes its text of."""
    chunks = read_lines(io.BytesIO(data), compressed=compressed, chunk_bytes=chunk_bytes)
    return unmarked("".join(chunk.text for chunk in chunks))


@thorough
@given(nasty_bytes_with_lone_returns, chunk_sizes)
@example(BOM + b"a\nb", 1)
def test_lines_are_the_physical_lines_whatever_the_chunks(data: bytes, chunk_bytes: int) -> None:
    chunks = read_lines(io.BytesIO(data), compressed=False, chunk_bytes=chunk_bytes)

    found = list(lines_of(chunks))

    text = without_boms(marked(data)).replace("\r\n", "\n")
    lines = dict(enumerate(physical_lines(text), 1))
    for number, line in found:
        assert line == lines.pop(number).removesuffix("\n")
    assert all(map(is_blank, lines.values()))


@given(nasty_bytes_with_lone_returns)
def test_only_bytes_that_are_no_utf_8_and_the_marks_themselves_are_marked(data: bytes) -> None:
    try:
        is_plain = not re.search("[\ufdd0-\ufdd4]", data.decode())
    except UnicodeDecodeError:
        is_plain = False

    text = "".join(chunk.text for chunk in read_lines(io.BytesIO(data), compressed=False))

    assert (INVALID_BYTE_MARK not in text) == is_plain
    assert FIELD_MARK not in text and RECORD_MARK not in text


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

    found, chunks = read_csv(io.BytesIO(data), compressed=False, is_known=known.__contains__, chunk_bytes=chunk_bytes)

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


def test_a_quote_is_not_looked_for_further_than_a_record_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_RECORD_BYTES", 10_000)
    filler = b"x\n" * 1000
    read: list[int] = []

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            read.append(len(data))
            return data

    _, chunks = read_csv(Counting(b'a,b\n1,"2\n' + filler * 10), compressed=False, chunk_bytes=1000)
    first = next(records_of(chunks, ","))

    assert first == (2, '1,"2', None)
    assert sum(read) < 5000


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("chunk_bytes", [1, 2, 5, 9, 1000])
def test_utf_16_with_a_byte_order_mark_is_read(encoding: str, compressed: bool, chunk_bytes: int) -> None:
    text = 'a;b\r\n\u0a0a;\u0d0d\r\n"zwei\nZeilen";🦆\r\n'
    data = ("\ufeff" + text).encode(encoding)

    header, chunks = read_csv(
        io.BytesIO(gzip.compress(data) if compressed else data), compressed=compressed, chunk_bytes=chunk_bytes
    )

    assert header == CsvHeader(("a", "b"), ";")
    assert [(number, fields) for number, _, fields in records_of(chunks, ";")] == [
        (2, ["\u0a0a", "\u0d0d"]),
        (3, ["zwei\nZeilen", "🦆"]),
    ]


def test_half_a_pair_or_half_a_character_of_utf_16_is_a_replacement_character() -> None:
    data = codecs.BOM_UTF16_LE + "x".encode("utf-16-le") + b"\x3d\xd8" + "y\n".encode("utf-16-le") + b"z"

    assert text_of(data, chunk_bytes=3).decode() == "x\ufffdy\n\ufffd"


def lines_in(data: bytes, encoding: str | None, chunk_bytes: int = 1000) -> list[str]:
    chunks = read_lines(io.BytesIO(data), compressed=False, encoding=encoding, chunk_bytes=chunk_bytes)
    return [line for _, line in lines_of(chunks)]


@given(st.lists(st.binary(max_size=8), max_size=5), st.sampled_from(["cp1252", "cp1251", "gb18030", "shift_jis"]))
def test_lines_that_are_not_utf_8_are_read_in_another_encoding_and_keep_their_bytes(
    lines: list[bytes], encoding: str
) -> None:
    lines = [b"-" + line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]

    found = lines_in(b"\n".join(lines), encoding)

    for line, text in zip(lines, found, strict=True):
        as_read, mark, as_landed = text.partition(BYTES_MARK)
        try:
            plain = line.decode()
            assert re.search("[\ufdd0-\ufdd4]", plain) or text == plain
        except UnicodeDecodeError:
            try:
                expected = line.decode(encoding)
            except UnicodeDecodeError:
                assert not mark
            else:
                assert mark and as_read == expected
        assert unmarked(as_landed if mark else as_read) == line


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_records_of_csv_are_read_in_another_encoding_with_their_header(quote: bytes) -> None:
    data = b"pr\xe9nom;a\nJos\xe9;%b\x80%b\nZo\xc3\xab;x\nX\x81;y\n" % (quote, quote)

    header, chunks = read_csv(io.BytesIO(data), compressed=False, encoding="cp1252")
    records = list(records_of(chunks, ";"))

    assert header.names == ("prénom", "a")
    # Byte 81 is nothing in cp1252.
    marked_byte = f"X{INVALID_BYTE_MARK}81"
    assert [fields for _, _, fields in records] == [["José", "€"], ["Zoë", "x"], [marked_byte, "y"]]


def test_a_chunk_says_whether_it_has_bytes_that_are_no_text() -> None:
    for quote in (b"", b'"'):
        for data, encoding, expected in (
            (b"caf\xc3\xa9", None, False),
            (b"caf\xe9", None, True),
            (b"caf\xe9", "cp1252", False),
            (b"caf\xe9\n\x81", "cp1252", True),
        ):
            rows = b"a\n" + b"\n".join(quote + line + quote for line in data.split(b"\n"))
            _, from_csv = read_csv(io.BytesIO(rows), compressed=False, encoding=encoding)
            from_lines = read_lines(io.BytesIO(rows), compressed=False, encoding=encoding)
            assert [chunk.has_invalid_bytes for chunk in (*from_csv, *from_lines)] == [expected, expected]


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


def test_lines_without_records_and_lines_of_few_characters_come_in_chunks_of_few_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_MOST_VALUES", 100)
    data = b"\n" * 1000 + b"a,b\n" * 500 + b"\n" * 1000 + b",,,,\n" * 40

    lines = list(read_lines(io.BytesIO(data), compressed=False))
    _, chunks = read_csv(io.BytesIO(data), compressed=False)

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


@pytest.mark.parametrize("read", [read_lines, lambda *args, **kwargs: read_csv(*args, **kwargs)[1]])
@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_file_with_a_line_longer_than_the_longest_record_is_not_readable(
    monkeypatch: pytest.MonkeyPatch, read: type[Iterator[Chunk]], ending: bytes
) -> None:
    monkeypatch.setattr(reading, "LONGEST_RECORD_BYTES", 100)
    short, long = b"a\n" + b"x" * 90 + ending, b"a\n" + b"x" * 120 + ending

    assert "".join(chunk.text for chunk in read(io.BytesIO(short), compressed=False, chunk_bytes=10))  # type: ignore[call-arg]
    with pytest.raises(NotReadable, match="has a line of more than"):
        list(read(io.BytesIO(long), compressed=False, chunk_bytes=10))  # type: ignore[call-arg]


@pytest.mark.parametrize("chunk_bytes", range(1, 8))
def test_byte_order_marks_are_dropped_at_the_start_of_the_file_and_of_each_line(chunk_bytes: int) -> None:
    assert text_of(BOM, chunk_bytes=chunk_bytes) == b""
    assert text_of(BOM + b"x\n", chunk_bytes=chunk_bytes) == b"x\n"
    assert text_of(BOM + b"a\n" + BOM + b"b", chunk_bytes=chunk_bytes) == b"a\nb"
    assert text_of(BOM + BOM + b"a\r\n" + BOM * 3 + b"b" + BOM, chunk_bytes=chunk_bytes) == b"a\nb" + BOM
    assert text_of(BOM[:2] + b"\na", chunk_bytes=chunk_bytes) == BOM[:2] + b"\na"
    assert csv_of(BOM + BOM + b"a,b\n1,2\n" + BOM + b"3,4", chunk_bytes)[1] == [
        (2, "1,2", ["1", "2"]),
        (3, "3,4", ["3", "4"]),
    ]
    assert text_of(gzip.compress(BOM + b"a"), compressed=True, chunk_bytes=chunk_bytes) == b"a"


@pytest.mark.parametrize("data", [b"", BOM, b"\n\n", b" \r\n\t\n", BOM + b"\n"])
def test_a_csv_file_of_nothing_has_neither_names_nor_records(data: bytes) -> None:
    assert csv_of(data, 1) == (CsvHeader((), ","), [])


@given(st.lists(nasty_bytes_with_lone_returns, min_size=1, max_size=3), chunk_sizes)
def test_compressed_files_of_one_or_more_members_read_like_plain_ones(members: list[bytes], chunk_bytes: int) -> None:
    members = [b"a,b\n", *members]
    packed, plain = b"".join(map(gzip.compress, members)), b"".join(members)

    whole = read_lines(io.BytesIO(plain), compressed=False)
    in_parts = read_lines(io.BytesIO(packed), compressed=True, chunk_bytes=chunk_bytes)
    lines, same_lines = ([(n, line) for n, line in lines_of(one) if not is_blank(line)] for one in (whole, in_parts))
    assert same_lines == lines
    header, chunks = read_csv(io.BytesIO(packed), compressed=True, chunk_bytes=chunk_bytes)
    assert (header, list(records_of(chunks, header.delimiter))) == csv_of(plain)


PACKED = gzip.compress(b"".join(hashlib.sha256(bytes([i])).digest() + b"\n" for i in range(8)), mtime=0)


@pytest.mark.parametrize("chunk_bytes", [7, 1000])
def test_a_compressed_file_cut_off_anywhere_is_not_readable(chunk_bytes: int) -> None:
    for length in range(1, len(PACKED)):
        with pytest.raises(NotReadable, match="cannot be decompressed to its end"):
            text_of(PACKED[:length], compressed=True, chunk_bytes=chunk_bytes)


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255), chunk_sizes)
def test_a_compressed_file_with_a_wrong_byte_is_not_readable_or_reads_the_same(
    position: int, flipped: int, chunk_bytes: int
) -> None:
    broken = bytearray(PACKED)
    broken[position] ^= flipped

    try:
        found = text_of(bytes(broken), compressed=True, chunk_bytes=chunk_bytes)
    except NotReadable:
        return

    assert found == text_of(PACKED, compressed=True)


@pytest.mark.parametrize("data", [b"not compressed", PACKED + b"trailing", zlib.compress(b"of another kind")])
def test_a_file_that_is_compressed_in_name_only_is_not_readable(data: bytes) -> None:
    with pytest.raises(NotReadable):
        text_of(data, compressed=True)


@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=5))
def test_the_checksum_is_of_the_whole_file_however_much_of_it_was_read(data: bytes, reads: list[int]) -> None:
    stream = HashingStream(io.BytesIO(data))
    read = b"".join(stream.read(size) or b"" for size in reads)

    assert data.startswith(read)
    assert stream.checksum() == hashlib.sha256(data).hexdigest() == checksum(io.BytesIO(data))
