"""Turns the bytes of a file into text, in blocks that end with a line.

UTF-8 and UTF-16 with a byte order mark are read as such. Any other byte stays in the text as a mark and two hex digits,
so that a record can be read in another encoding, and its bytes restored.
"""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from orchestration.lib.extraction.limits import Limits
from orchestration.lib.landing.file_types import NotReadable

# Unicode guarantees that these are never text. A record that contains them nevertheless is treated as not UTF-8.
INVALID_BYTE_MARK = "\ufdd0"  # followed by the byte's two hex digits
FIELD_MARK = "\ufdd1"
RECORD_MARK = "\ufdd2"
CHUNK_MARK = "\ufdd3"
# Between a record as it reads in another encoding and the same record with its invalid bytes marked.
BYTES_MARK = "\ufdd4"
_MARKS = re.compile("[\ufdd0-\ufdd4]")
# Invalid bytes as Python decodes them, and the marks.
_TO_MARK = re.compile("[\udc80-\udcff\ufdd0-\ufdd4]+")
_MARKED = {
    code: "".join(f"{INVALID_BYTE_MARK}{byte:02X}" for byte in chr(code).encode("utf-8", "surrogateescape"))
    for code in (*range(0xDC80, 0xDD00), *range(0xFDD0, 0xFDD5))
}
_MARK_PREFIX = b"\xef\xb7"  # the first bytes of every mark in UTF-8
_MARKED_BYTE = re.compile(f"{INVALID_BYTE_MARK}([0-9A-F]{{2}})")

# Byte order marks stand at the start of a file, and where files were joined.
BOM = "\ufeff"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_SMALL_BYTES = 1 << 16


def blocks_of_text(stream: BinaryIO, *, compressed: bool, limits: Limits) -> Iterator[str]:
    """The text of a file in blocks that end with a line. Raises NotReadable when it cannot be read to its end."""
    source = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if compressed else stream
    block_bytes = max(limits.chunk_bytes, len(codecs.BOM_UTF16))
    utf_16: codecs.IncrementalDecoder | None = None
    is_first = True
    unfinished = b""  # the beginning of a line that ends in a later block
    while True:
        try:
            block = _read(source, block_bytes)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise NotReadable(f"cannot be decompressed to its end ({error})") from None
        at_end = len(block) < block_bytes
        if is_first and (name := _UTF_16.get(block[:2])):
            utf_16 = codecs.getincrementaldecoder(name)(errors="replace")
        is_first = False
        if utf_16:
            block = utf_16.decode(block, at_end).encode()
        end = len(block) if at_end else block.rfind(b"\n") + 1
        if not end and not at_end:
            unfinished += block
            if len(unfinished) > limits.longest_record_bytes:
                raise NotReadable(f"has a line of more than {limits.longest_record_bytes >> 20} MiB")
            continue
        if data := unfinished + block[:end]:
            yield _with_marks(data)
        if at_end:
            return
        unfinished = block[end:]


def _read(source: BinaryIO, size: int) -> bytes:
    """That many bytes; fewer only at the end."""
    # Most files are small, and each call allocates as much memory as it asks for.
    block = source.read(min(size, _SMALL_BYTES))
    return block + source.read(size - _SMALL_BYTES) if len(block) == _SMALL_BYTES < size else block


def _with_marks(data: bytes) -> str:
    """UTF-8 bytes as text. Every byte that is not UTF-8, or that belongs to one of the marks, is marked."""
    if _MARK_PREFIX not in data:
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    # By runs of invalid bytes: a line may consist of nothing else.
    return with_marks(data.decode("utf-8", "surrogateescape"))


def with_marks(text: str) -> str:
    """A text that may contain the marks themselves, with each of them marked."""
    return _TO_MARK.sub(lambda run: run[0].translate(_MARKED), text)


def without_boms(text: str, boms: re.Pattern[str] | None) -> str:
    """The text without what the pattern matches, which begins with a byte order mark."""
    return boms.sub("", text) if boms and BOM in text else text


def lines_in_encoding(text: str, encoding: str | None) -> str:
    """Lines, each with invalid bytes as it reads in the encoding, then BYTES_MARK, then the line with its marks."""
    if not encoding or INVALID_BYTE_MARK not in text:
        return text
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if INVALID_BYTE_MARK in line and (decoded := in_encoding(line, encoding)) is not None:
            lines[i] = f"{decoded}{BYTES_MARK}{line}"
    return "\n".join(lines)


def in_encoding(text: str, encoding: str | None) -> str | None:
    """The bytes of a text with marks, read in an encoding; None where they are not text in it."""
    if not encoding or INVALID_BYTE_MARK not in text:
        return text
    parts = _MARKED_BYTE.split(text)
    data = b"".join(bytes.fromhex(part) if i % 2 else part.encode() for i, part in enumerate(parts))
    try:
        decoded = data.decode(encoding)
    except UnicodeError:
        return None
    return None if _MARKS.search(decoded) or "\n" in decoded and "\n" not in text else decoded
