"""Shows that reading in chunks finds the same records as reading the whole file, and loses no byte of it."""

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.lib import reading
from orchestration.lib.reading import (
    CHUNK_MARK,
    FIELD_MARK,
    INVALID_BYTE_MARK,
    RECORD_MARK,
    Chunk,
    CsvHeader,
    HashingStream,
    NotReadable,
    checksum,
    read_csv,
    read_lines,
)

BOM = b"\xef\xbb\xbf"
Record = tuple[int, str, list[str] | None]

# Everything that ends, quotes, separates or only looks as if it did; what Python calls white space and others do not;
# bytes that are no UTF-8, alone or in the middle of a character; the marks that reading itself puts into a text.
NASTY = [
    *(b'"', b'""', b'"a', b'b"', b",", b";", b"\n", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"a", b"b,c", b"\\"),
    *(text.encode() for text in ("\ufeff", "é", "🦆", "\u00a0", "\u0085", "\u2028", "\x0b", "\x1c", "\x00")),
    *(b"\xff", b"\xc3", b"\xa9", b"\xf0\x9f", b"\xed\xa0\x80", b"\xef\xb7"),
    *(mark.encode() for mark in (INVALID_BYTE_MARK, FIELD_MARK, RECORD_MARK, CHUNK_MARK, "\ufdd4")),
]
nasty_bytes = st.lists(st.sampled_from(NASTY), max_size=40).map(b"".join)
nasty_bytes_with_lone_returns = st.lists(st.sampled_from([*NASTY, b"\r", b"\r\r\n"]), max_size=40).map(b"".join)
chunk_sizes = st.integers(1, 70)
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
    value = st.text(st.sampled_from('ab"é🦆,;\n \\\t\u2028'), max_size=6)
    wide = st.lists(value, min_size=width, max_size=width)
    ragged = st.lists(value, min_size=2, max_size=6)
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
    return re.sub("[\udc80-\udcff\ufdd0-\ufdd3]", lambda match: mark_bytes(match[0]), text)


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


def lines_of(chunks: Iterator[Chunk]) -> Iterator[tuple[int, str]]:
    for chunk in chunks:
        assert not chunk.split_into_fields
        yield from enumerate(chunk.text.removesuffix("\n").split("\n"), chunk.first_line)


def records_of(chunks: Iterator[Chunk], delimiter: str) -> Iterator[Record]:
    """The records of chunks, taken apart as `decoding` does it."""
    for chunk in chunks:
        if not chunk.split_into_fields:
            for number, line in lines_of(iter([chunk])):
                if not is_blank(line):
                    yield number, line, line.split(delimiter)
            continue
        for record in chunk.text.split(RECORD_MARK):
            first_line, raw, *fields = record.split(FIELD_MARK)
            yield int(first_line), raw, fields or None


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

    text = marked(data.removeprefix(BOM)).replace("\r\n", "\n")
    assert found == [(n, line.removesuffix("\n")) for n, line in enumerate(physical_lines(text), 1)]
    assert b"".join(unmarked(line) + b"\n" for _, line in found).removesuffix(b"\n") == (
        data.removeprefix(BOM).replace(b"\r\n", b"\n").removesuffix(b"\n")
    )


@given(nasty_bytes_with_lone_returns)
def test_only_bytes_that_are_no_utf_8_and_the_marks_themselves_are_marked(data: bytes) -> None:
    try:
        is_plain = not re.search("[\ufdd0-\ufdd3]", data.decode())
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
@given(nasty_bytes, chunk_sizes)
@example(b'a,b\nc,"d\n\n', 1)
@example(b'a\n\xc2\xa0\n"', 1)
@example(b'a\n\x0b\n"', 3)
def test_records_of_csv_are_those_of_the_csv_module_over_the_whole_text(data: bytes, chunk_bytes: int) -> None:
    text = marked(data.removeprefix(BOM))
    delimiter = csv_of(data)[0].delimiter
    lines = physical_lines(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    expected: list[Record] = []
    start = 0
    for fields in reader:
        raw = without_line_ending("".join(lines[start : reader.line_num]))
        if not is_blank(raw):
            expected.append((start + 1, raw, fields))
        start = reader.line_num

    header, records = csv_of(data, chunk_bytes)

    names = (expected[0][2] or []) if expected else []
    assert header.names == tuple(names)
    assert records == expected[1:]


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
    lines = physical_lines("a,b\n" + marked(rows))

    _, records = csv_of(b"a,b\n" + rows, chunk_bytes)

    unread = dict(enumerate(lines, 1))
    for number, raw, _ in records:
        height = raw.count("\n") + 1
        assert raw == without_line_ending("".join(unread.pop(number + i) for i in range(height)))
    assert [line for line in unread.values() if not is_blank(line)] == ["a,b\n"]


@given(st.sampled_from((b"a;b\n", b"a;b,c\n", b"a,b\n", b"a\n", b'"a;b"\n', b"a\n;\n")), chunk_sizes)
def test_a_semicolon_separates_fields_where_the_first_line_has_no_comma(start: bytes, chunk_bytes: int) -> None:
    first_line = start.split(b"\n")[0]

    header, _ = csv_of(start + b"1;2,3\n", chunk_bytes)

    assert header.delimiter == (";" if b";" in first_line and b"," not in first_line else ",")


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
            (11, '7,"8', ["7", "8\n"]),
        ]


def test_a_record_keeps_the_line_breaks_of_a_quote_that_never_closes() -> None:
    _, records = csv_of(b'a,b\n1,"2\n\n\n')

    assert records == [(2, '1,"2\n\n', ["1", "2\n\n\n"])]


def test_a_record_that_cannot_be_split_is_kept_and_the_next_one_is_read() -> None:
    _, records = csv_of(b'a,b\n"1",2\n3\r4,5\n"6",7\n')

    assert records == [(2, '"1",2', ["1", "2"]), (3, "3\r4,5", None), (4, '"6",7', ["6", "7"])]


def test_a_field_may_be_longer_than_the_csv_module_allows_by_default() -> None:
    name = "x" * 300_000

    assert csv_of(f'a,b\n"{name}",2\n'.encode())[1][0][2] == [name, "2"]


def test_a_field_longer_than_the_longest_record_costs_only_its_own_record() -> None:
    usual_limit = csv.field_size_limit(20)
    try:
        _, records = csv_of(b'a\n"1"\n"' + b"x" * 30 + b'\ny"\n"2"\n')
    finally:
        csv.field_size_limit(usual_limit)

    assert records[0] == (2, '"1"', ["1"])
    assert records[1][:2] == (3, '"' + "x" * 30)
    assert records[1][2] is None
    # Where the overlong field would have ended is unknown: what follows is read as it stands, and nothing is left out.
    assert "\n".join(raw for _, raw, _ in records) == '"1"\n"' + "x" * 30 + '\ny"\n"2"'


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
def test_a_byte_order_mark_is_dropped_at_the_start_of_a_file_and_nowhere_else(chunk_bytes: int) -> None:
    assert text_of(BOM, chunk_bytes=chunk_bytes) == b""
    assert text_of(BOM + b"\n", chunk_bytes=chunk_bytes) == b"\n"
    assert text_of(BOM + b"a\n" + BOM + b"b", chunk_bytes=chunk_bytes) == b"a\n" + BOM + b"b"
    assert text_of(BOM + BOM + b"a", chunk_bytes=chunk_bytes) == BOM + b"a"
    assert text_of(BOM[:2] + b"\na", chunk_bytes=chunk_bytes) == BOM[:2] + b"\na"
    assert csv_of(BOM + b"a,b\n1,2\n", chunk_bytes)[0].names == ("a", "b")
    assert text_of(gzip.compress(BOM + b"a"), compressed=True, chunk_bytes=chunk_bytes) == b"a"


@pytest.mark.parametrize("data", [b"", BOM, b"\n\n", b" \r\n\t\n", BOM + b"\n"])
def test_a_csv_file_of_nothing_has_neither_names_nor_records(data: bytes) -> None:
    assert csv_of(data, 1) == (CsvHeader((), ","), [])


@given(st.lists(nasty_bytes_with_lone_returns, min_size=1, max_size=3), chunk_sizes)
def test_compressed_files_of_one_or_more_members_read_like_plain_ones(members: list[bytes], chunk_bytes: int) -> None:
    members = [b"a,b\n", *members]
    packed, plain = b"".join(map(gzip.compress, members)), b"".join(members)

    assert text_of(packed, compressed=True, chunk_bytes=chunk_bytes) == text_of(plain)
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
