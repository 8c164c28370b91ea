"""Recognises files that are not what their names say, and says what to do with them.

Each text completes the sentence "it …": what the file is, and after a semicolon the cure.
"""

import re
import zlib
from collections.abc import Collection

_SPREADSHEET = "is a spreadsheet; save its sheet as CSV"
_OTHER_SPREADSHEET = "is a spreadsheet of another kind; save it as .xlsx, or its sheet as CSV"
_OPEN_DOCUMENT = "is an OpenDocument spreadsheet; save it as .xlsx, or its sheet as CSV"
_ARCHIVE = "is an archive; unpack it"
_UNFINISHED = "is a download that has not finished; let it finish, or delete it"
_WEB_PAGE = "is a web page, perhaps one that asks to sign in; download the file again"

# By the ending of a name.
_ENDINGS = {
    **dict.fromkeys((".crdownload", ".download", ".partial", ".opdownload"), _UNFINISHED),
    ".xlsx": _SPREADSHEET,
    ".ods": _OPEN_DOCUMENT,
    **dict.fromkeys((".xlsm", ".xlsb", ".xls", ".numbers"), _OTHER_SPREADSHEET),
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst"), _ARCHIVE),
    **dict.fromkeys((".html", ".htm"), _WEB_PAGE),
    ".pdf": "is a PDF; export it as CSV",
    ".json": "is JSON; write one object a line, and name it .jsonl",
}

# By the first bytes.
_BEGINNINGS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "is a spreadsheet of an old kind, or with a password; save it as .xlsx without a password, or its sheet as CSV"
    ),
    b"PK\x03\x04": _ARCHIVE,
    b"PK\x05\x06": "is an archive with nothing in it",
    b"7z\xbc\xaf\x27\x1c": _ARCHIVE,
    b"Rar!\x1a\x07": _ARCHIVE,
    b"BZh": "is compressed with bzip2; unpack it",
    b"\xfd7zXZ\0": "is compressed with xz; unpack it",
    b"\x28\xb5\x2f\xfd": "is compressed with Zstandard; unpack it",
    b"\x1f\x8b": "is compressed with gzip; add .gz to its name",
    b"%PDF-": "is a PDF; export it as CSV",
    b"{\\rtf": "is a text document (RTF); save it as CSV",
    b"ARROW1": "is an Arrow file; save it as CSV",
    b"Obj\x01": "is an Avro file; save it as CSV",
    b"ORC": "is an ORC file; save it as CSV",
    b"SQLite format 3\0": "is an SQLite database; export its table as CSV",
    b"\x89PNG": "is a picture",
    b"\xff\xd8\xff": "is a picture",
    b"GIF8": "is a picture",
    # Both marks are of UTF-32. The first one begins with the mark of UTF-16.
    b"\xff\xfe\0\0": "is UTF-32 text; save it as UTF-8",
    b"\0\0\xfe\xff": "is UTF-32 text; save it as UTF-8",
}
_PARQUET = b"PAR1"
_GZIP = b"\x1f\x8b"
_TAR = 257, b"ustar"  # where a tar archive has its mark
_OFFICE = (b"xl/", b"[Content_Types].xml", b"Index/")
_OPEN_DOCUMENT_MARK = b"opendocument.spreadsheet"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MARKUP = re.compile(rb"<(!doctype|!--|html|head|body|script|meta|table|title)\b", re.IGNORECASE)
_XML = re.compile(rb"<\?xml\b", re.IGNORECASE)
_JSON = re.compile(rb'\{\s*"|\[\s*\{')

# Enough for every mark, and for the first line.
HEAD_BYTES = 4096


class NotReadable(Exception):
    """A file that cannot be read to its end. The text completes the sentence "<file> is not loaded: it …"."""

    def __init__(self, problem: str, cure: str = "replace it", *, may_pass: bool = False) -> None:
        super().__init__(f"{problem}; {cure}")
        self.may_pass = may_pass  # whether the next run may be able to read the same file


def cure_of_name(name: str) -> str | None:
    """What a file is that is not read because of its name; None where the name does not tell."""
    name = name.lower()
    if is_lock_file(name):
        return "is the lock file of an open spreadsheet; close the spreadsheet, or delete the file"
    return next((text for ending, text in _ENDINGS.items() if name.endswith(ending)), None)


def is_lock_file(name: str) -> bool:
    """Whether a spreadsheet program put the file beside one that it has open."""
    return name.startswith("~$")


def check_type(head: bytes, file_format: str, *, compressed: bool, read_here: Collection[str]) -> None:
    """Raise NotReadable when the first bytes of a file show that it is not of its format, as in `Kind.formats`.

    Text files may be `compressed` by gzip. `read_here` are the formats that the folder takes.
    """
    if compressed and head:
        if not head.startswith(_GZIP):
            raise _not_as_named(_other_type(head, file_format) or "is not compressed; take .gz off its name")
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD_BYTES)
        except zlib.error:
            return  # Reading the file will say what is broken.
    if head.startswith(_PARQUET) and file_format != "parquet":
        cure = "name it .parquet" if "parquet" in read_here else "save it as CSV"
        raise NotReadable("is a Parquet file", cure)
    if (text := _other_type(head, file_format)) is _SPREADSHEET and "xlsx" in read_here:
        raise NotReadable("is a spreadsheet", "name it .xlsx, or save its sheet as CSV")
    if text:
        raise _not_as_named(text)


def _not_as_named(text: str) -> NotReadable:
    """The error of a file that is something else. Its text may have a cure after a semicolon."""
    problem, _, cure = text.partition("; ")
    return NotReadable(problem, cure or "replace it")


def _other_type(head: bytes, file_format: str) -> str | None:
    if head.startswith(b"PK\x03\x04"):
        if _OPEN_DOCUMENT_MARK in head:
            return _OPEN_DOCUMENT
        if file_format == "xlsx":
            return None  # Whoever reads it sees what is in the archive.
        if any(part in head for part in _OFFICE):
            return _SPREADSHEET
    for beginning, text in _BEGINNINGS.items():
        if head.startswith(beginning):
            return text
    position, mark = _TAR
    if head[position : position + len(mark)] == mark:
        return _ARCHIVE
    if head and not head.strip(b"\0"):
        return "holds nothing but zero bytes; download the file again"
    if file_format == "parquet":
        return _text_type(head)
    if file_format == "xlsx":
        return (
            "is empty; save it again"
            if not head
            else _text_type(head) or "is not a spreadsheet; name it .csv if it is text, or save it as .xlsx again"
        )
    return _text_type(head) or _encoding(head, file_format)


def _text_type(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _MARKUP.match(text):
        return _WEB_PAGE
    if _XML.match(text):
        return "is XML, perhaps an error message or a spreadsheet; download the file again, or save it as CSV"
    return None


def _encoding(head: bytes, file_format: str) -> str | None:
    """What is wrong with the encoding of a text, or what it is instead of CSV."""
    if head.startswith(_UTF_16):
        return None
    # In UTF-16, every second byte of ASCII letters is zero.
    zeros, others = sorted((head[:512:2].count(0), head[1:512:2].count(0)), reverse=True)
    if others == 0 and zeros > 0.4 * len(head[:512]):
        return "is UTF-16 text without a byte order mark; save it as UTF-8"
    if file_format == "csv":
        if b"\0" in head.split(b"\n", 1)[0]:
            return "is not text; save it as CSV in UTF-8"
        if _JSON.match(head.removeprefix(b"\xef\xbb\xbf").lstrip()):
            return "is JSON; save it as CSV, or write one object a line where .jsonl is read"
    return None
