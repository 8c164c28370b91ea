"""A file that is not what its name says is named as what it is, with the cure, and stops nothing else."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.integration.extraction.place import Place, event_ids, json_lines

CSV = "event_id,event_type\nx,added\n"


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return packed.getvalue()


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV.encode()))
    return packed.getvalue()


PARQUET = b"PAR1" + bytes(100) + b"PAR1"
MISTAKEN = {
    "1/events/xlsx.csv": (zipped("[Content_Types].xml", "xl/workbook.xml"), "spreadsheet", "save its sheet as CSV"),
    "1/events/ods.csv": (zipped("mimetype", "content.xml", "Index/x"), "spreadsheet", "save its sheet as CSV"),
    "1/report_logs/contacts-added.csv": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "spreadsheet", "save"),
    "1/data_export/contacts.csv": (zipped("contacts.csv"), "archive", "unpack it"),
    "1/users/7z.csv": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "archive", "unpack it"),
    "1/users/rar.csv": (b"Rar!\x1a\x07\x01\x00" + bytes(50), "archive", "unpack it"),
    "1/events/tar.csv": (tarred(), "archive", "unpack it"),
    "1/events/tar.jsonl.gz": (gzip.compress(tarred()), "archive", "unpack it"),
    "1/events/xz.jsonl": (b"\xfd7zXZ\0" + bytes(50), "xz", "unpack it"),
    "1/channels/page.csv": (
        b"\xef\xbb\xbf\r\n <!DOCTYPE HTML><html><body>Sign in",
        "web page",
        "download the file again",
    ),
    "1/webhooks/page.jsonl": (b"<html lang=en>", "web page", "download the file again"),
    "1/events/page.parquet": (b"<html><head>", "web page", "download the file again"),
    "1/events/xml.csv": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML", "download"),
    "1/events/gzip.csv": (gzip.compress(CSV.encode()), "gzip", "add .gz to its name"),
    "1/events/gzip.jsonl": (gzip.compress(b"{}"), "gzip", "add .gz to its name"),
    "1/events/plain.csv.gz": (CSV.encode() * 2, "not compressed", "take .gz off its name"),
    "1/events/xlsx.csv.gz": (zipped("xl/workbook.xml"), "spreadsheet", "save its sheet as CSV"),
    "1/events/pdf.csv": (b"%PDF-1.7\n", "PDF", "export it as CSV"),
    "1/events/parquet.csv": (PARQUET, "Parquet", "name it .parquet"),
    "1/users/parquet.csv": (PARQUET, "Parquet", "save it as CSV"),
    "1/events/xlsx.parquet": (zipped("xl/styles.xml"), "spreadsheet", "save its sheet as CSV"),
    "1/events/utf16le.csv": (CSV.encode("utf-16-le"), "UTF-16", "save it as UTF-8"),
    "1/events/utf16be.jsonl": ('{"event_id": "é"}\n'.encode("utf-16-be"), "UTF-16", "save it as UTF-8"),
    "1/events/utf32.csv": (CSV.encode("utf-32"), "UTF-32", "save it as UTF-8"),
    "1/events/zeros.csv": (bytes(10_000), "zero bytes", "download the file again"),
    "1/events/zeros.jsonl": (bytes(10), "zero bytes", "download the file again"),
    "1/events/binary.csv": (b"\x01\x02\0\x03\nx", "not text", "CSV in UTF-8"),
    "1/events/json.csv": (b'{"event_id": 1}\n{"event_id": 2}\n', "JSON", "save it as CSV"),
    "1/data_export/json.csv": (b'[\n {"a": 1}]', "JSON", "save it as CSV"),
    "1/events/database.csv": (b"SQLite format 3\0" + bytes(100), "SQLite", "export"),
    "1/events/photo.csv": (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture", ""),
}


@pytest.mark.parametrize("chunks", ["chunks as they are", "tiny_chunks"])
def test_a_file_is_named_as_what_it_is_on_every_run_and_not_loaded(
    place: Place, chunks: str, request: pytest.FixtureRequest
) -> None:
    if chunks == "tiny_chunks":
        request.getfixturevalue(chunks)
    for path, (content, *_) in MISTAKEN.items():
        place.land(path, content)
    place.land("1/events/good.csv", CSV)

    for expected_files in (2, 0):
        result = place.extract()
        assert result.files == expected_files
        warnings = dict(warning.split(" is not loaded: it ") for warning in result.warnings)
        assert warnings.keys() == MISTAKEN.keys()
        for path, (_, *words) in MISTAKEN.items():
            assert all(word in warnings[path] for word in words), f"{path}: {warnings[path]}"
    assert event_ids(place.events()) == ["x"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("1/events/a.csv", '"<event_id>",event_id\n<html>,1\n'),
        ("1/events/a.csv", "PKey,event_id\nx,1\n"),
        ("1/events/a.csv", "[x],event_id\nx,1\n"),
        ("1/events/a.csv", "{x},event_id\nx,1\n"),
        ("1/events/a.jsonl", '<<<<<<< HEAD\n{"event_id": "1"}\n'),
        ("1/events/a.jsonl", '[\n{"event_id": "1"}\n]\n'),
        ("1/events/a.jsonl", '\n\n{"event_id": "1", "note": "\\u0000"}\n'),
        ("1/events/a.jsonl", "\0\n" + json_lines(1)),
    ],
)
def test_text_that_only_looks_a_little_like_something_else_is_read(place: Place, path: str, content: str) -> None:
    place.land(path, content)

    result = place.extract()

    assert result.warnings == []
    assert "1" in event_ids(place.events())


def test_what_lies_where_no_file_is_expected_is_named_with_the_cure(place: Place) -> None:
    said = {
        "notes.txt": "workspaces.csv",
        "workspaces.xlsx": "spreadsheet",
        "contacts-added.csv": "move it",
        "1/events/a.csv.crdownload": "not finished",
        "1/events/b.jsonl.download": "not finished",
        "1/report_logs/c.csv.partial": "not finished",
        "1/events/d.parquet.opdownload": "not finished",
        "1/users/~$users.xlsx": "lock file",
        "1/webhooks/e.XLSX": "save its sheet as CSV",
        "1/events/f.ods": "save it as .xlsx",
        "1/events/g.csv.zip": "unpack it",
        "1/events/h.json": ".jsonl",
        "1/events/i.html": "web page",
        "1/events/j.pdf": "PDF",
        "1/events/k.tsv": "rename it",
        "1/k.csv": "a workspace's folders are",
    }
    for path in said:
        place.land(path, CSV)
    for left_alone in (".DS_Store", "incoming.csv.part", "workspaces.csv.tmp"):
        place.land(left_alone, CSV)

    warnings = dict(warning.split(" is not read: ") for warning in place.extract().warnings)

    assert warnings.keys() == said.keys()
    assert {path: word for path, word in said.items() if word not in warnings[path]} == {}


def test_a_folder_that_a_browser_downloads_into_is_named(place: Place) -> None:
    events = place.land("1/events/good.csv", CSV).parent
    Path(events, "folder.download").mkdir()

    (warning,) = place.extract().warnings

    assert warning.startswith("1/events/folder.download is not read: it is a download that has not finished")
