"""Copies a Parquet file with its texts declared as bytes in the footer.

One text that is not UTF-8 keeps DuckDB 1.5 from reading any row of a Parquet file, unless the column is declared as
bytes. No option helps: a `schema` with BLOB columns, `binary_as_string` and `try` come after the check. A later DuckDB
has `utf8_validation` (duckdb/duckdb#24743), which replaces or drops the invalid bytes.

The footer is written in Thrift's compact protocol:
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import shutil
from collections.abc import Iterator

_MAGIC = b"PAR1"
_TAIL_BYTES = 8  # the length of the footer, and the magic bytes
# A footer of ten thousand columns has about 1 MB. Python would take seconds for a larger one than this.
_LONGEST_FOOTER_BYTES = 16 << 20

# Thrift's types.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)

# Field numbers in FileMetaData and SchemaElement, and the values of ConvertedType and LogicalType that mean text.
_SCHEMA = 2
_CONVERTED_TYPE, _LOGICAL_TYPE = 6, 10
_CONVERTED_TEXTS = frozenset({0, 4, 19})  # UTF8, ENUM, JSON
_LOGICAL_TEXTS = frozenset({1, 4, 12})  # STRING, ENUM, JSON


def copy_with_texts_as_bytes(source: str, target: str) -> None:
    """Copy a Parquet file, and declare its texts as bytes in the copy.

    Raises ValueError when the file does not end as Parquet files do.
    """
    with open(source, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _TAIL_BYTES, 0))
        tail = file.read()
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or length > min(size - _TAIL_BYTES, _LONGEST_FOOTER_BYTES):
            raise ValueError("no footer of a Parquet file")
        file.seek(size - _TAIL_BYTES - length)
        footer = _with_texts_as_bytes(file.read(length))
        file.seek(0)
        with open(target, "wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
            copy.truncate(size - _TAIL_BYTES - length)
            copy.seek(0, 2)
            copy.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)


def _with_texts_as_bytes(footer: bytes) -> bytes:
    try:
        for field, _, start, end in _Reader(footer).fields():
            if field == _SCHEMA:
                return footer[:start] + _schema_with_bytes(footer[start:end]) + footer[end:]
    except (IndexError, RecursionError):
        pass
    raise ValueError("no schema in the footer of a Parquet file")


def _schema_with_bytes(schema: bytes) -> bytes:
    reader = _Reader(schema)
    count, _ = reader.list_header()
    parts = [schema[: reader.position]]
    for _ in range(count):
        parts.append(_element_with_bytes(reader))
    return b"".join(parts)


def _element_with_bytes(reader: "_Reader") -> bytes:
    """An element of the schema without the fields that declare it as text."""
    written, last = b"", 0
    for field, kind, start, end in reader.fields():
        value = reader.data[start:end]
        if field == _CONVERTED_TYPE and _Reader(value).integer() in _CONVERTED_TEXTS:
            continue
        if field == _LOGICAL_TYPE and next(_Reader(value).fields(), (0,))[0] in _LOGICAL_TEXTS:
            continue
        # A field's number is written as the distance to the field before. In an element all are less than 16.
        written += bytes([(field - last) << 4 | kind]) + value
        last = field
    return written + b"\0"


class _Reader:
    """Reads values of the compact protocol one after another. Raises IndexError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def fields(self) -> Iterator[tuple[int, int, int, int]]:
        """For each field of a structure: its number, its type, and where its value begins and ends."""
        number = 0
        while header := self._byte():
            distance, kind = header >> 4, header & 15
            number = number + distance if distance else self.integer()
            start = self.position
            if kind not in (_TRUE, _FALSE):  # The type is the value.
                self._skip(kind)
            yield number, kind, start, self.position

    def list_header(self) -> tuple[int, int]:
        """The number of values in a list or a set, and their type."""
        header = self._byte()
        count, kind = header >> 4, header & 15
        return (self._varint() if count == 15 else count), kind

    def integer(self) -> int:
        """A signed integer of 16, 32 or 64 bits."""
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("an integer of more than 64 bits")

    def _byte(self) -> int:
        self.position += 1
        return self.data[self.position - 1]

    def _skip(self, kind: int) -> None:
        if kind in (_TRUE, _FALSE, _BYTE):
            self.position += 1
        elif kind in (_I16, _I32, _I64):
            self._varint()
        elif kind == _DOUBLE:
            self.position += 8
        elif kind == _BINARY:
            length = self._varint()
            self.position += length
        elif kind in (_LIST, _SET):
            count, of = self.list_header()
            for _ in range(count):
                self._skip(of)
        elif kind == _MAP:
            if count := self._varint():
                kinds = self._byte()
                for _ in range(count):
                    self._skip(kinds >> 4)
                    self._skip(kinds & 15)
        elif kind == _STRUCT:
            for _ in self.fields():
                pass
        else:
            raise ValueError(f"{kind} is no type of Thrift")
        if self.position > len(self.data):
            raise IndexError("a value ends behind the data")
