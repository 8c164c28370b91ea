"""Shows that no byte of a text file is lost, whatever its encoding, its compression and the size of the chunks."""

import codecs
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestration.lib.extraction.checksums import HashingStream, checksum
from orchestration.lib.extraction.chunks import Chunk, read_lines
from orchestration.lib.extraction.csv_reading import CsvHeader, read_csv
from orchestration.lib.extraction.encodings import (
    BYTES_MARK,
    FIELD_MARK,
    INVALID_BYTE_MARK,
    RECORD_MARK,
)
from orchestration.lib.extraction.limits import Limits
from orchestration.lib.landing.file_types import NotReadable
from tests.unit.difficult_text import (
    BOM,
    chunk_sizes,
    csv_of,
    is_blank,
    lines_of,
    marked,
    nasty_bytes_with_lone_returns,
    physical_lines,
    records_of,
    text_of,
    thorough,
    unmarked,
    without_boms,
)


@thorough
@given(nasty_bytes_with_lone_returns, chunk_sizes)
@example(BOM + b"a\nb", 1)
def test_lines_are_the_physical_lines_whatever_the_chunks(data: bytes, chunk_bytes: int) -> None:
    chunks = read_lines(io.BytesIO(data), compressed=False, limits=Limits(chunk_bytes=chunk_bytes))

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


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("chunk_bytes", [1, 2, 5, 9, 1000])
def test_utf_16_with_a_byte_order_mark_is_read(encoding: str, compressed: bool, chunk_bytes: int) -> None:
    text = 'a;b\r\n\u0a0a;\u0d0d\r\n"zwei\nZeilen";🦆\r\n'
    data = ("\ufeff" + text).encode(encoding)

    header, chunks = read_csv(
        io.BytesIO(gzip.compress(data) if compressed else data),
        compressed=compressed,
        limits=Limits(chunk_bytes=chunk_bytes),
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
    chunks = read_lines(io.BytesIO(data), compressed=False, encoding=encoding, limits=Limits(chunk_bytes=chunk_bytes))
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


@pytest.mark.parametrize("read", [read_lines, lambda *args, **kwargs: read_csv(*args, **kwargs)[1]])
@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_file_with_a_line_longer_than_the_longest_record_is_not_readable(
    read: Callable[..., Iterator[Chunk]], ending: bytes
) -> None:
    limits = Limits(chunk_bytes=10, longest_record_bytes=100)
    short, long = b"a\n" + b"x" * 90 + ending, b"a\n" + b"x" * 120 + ending

    assert "".join(chunk.text for chunk in read(io.BytesIO(short), compressed=False, limits=limits))
    with pytest.raises(NotReadable, match="has a line of more than"):
        list(read(io.BytesIO(long), compressed=False, limits=limits))


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


@given(st.lists(nasty_bytes_with_lone_returns, min_size=1, max_size=3), chunk_sizes)
def test_compressed_files_of_one_or_more_members_read_like_plain_ones(members: list[bytes], chunk_bytes: int) -> None:
    members = [b"a,b\n", *members]
    packed, plain = b"".join(map(gzip.compress, members)), b"".join(members)

    whole = read_lines(io.BytesIO(plain), compressed=False)
    in_parts = read_lines(io.BytesIO(packed), compressed=True, limits=Limits(chunk_bytes=chunk_bytes))
    lines, same_lines = ([(n, line) for n, line in lines_of(one) if not is_blank(line)] for one in (whole, in_parts))
    assert same_lines == lines
    header, chunks = read_csv(io.BytesIO(packed), compressed=True, limits=Limits(chunk_bytes=chunk_bytes))
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
