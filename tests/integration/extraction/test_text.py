"""Text files as spreadsheets and accidents leave them: their records arrive, and a mistake costs one line."""

import codecs
import gzip
from typing import Any, cast

import pytest

from tests.integration.extraction.place import Place, event_ids, json_lines

HEADER = "event_id,event_type,contact_id,contact_name\n"
TABLES = {
    "events/a.csv": ("events", "event_id", "event_id,event_type,contact_name"),
    "report_logs/contacts-added.csv": ("report_logs", "contact_id", "Contact ID,Source,User"),
    "data_export/contacts.csv": ("data_export", "contact_id", "ContactID,FirstName,LastName"),
    "users/u.csv": ("users", "user_id", "user_id,user_name,deleted_at"),
    "channels/c.csv": ("channels", "channel_id", "channel_id,channel_name,deleted_at"),
}


def first_field(row: dict[str, Any], column: str, separator: str) -> str | None:
    """The value of the first column. The raw zone has the fields of an export in a list, or only in the record."""
    if column in row or row["parse_error"]:
        return cast(str | None, row.get(column))
    return cast(str, (row["fields"] or row["raw_record"].split(separator))[0])


@pytest.mark.parametrize("path", TABLES)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_quote_that_is_not_closed_costs_only_its_line_in_files_of_every_kind(
    place: Place, path: str, separator: str, compressed: bool
) -> None:
    table, id_column, header = TABLES[path]
    rows = ["1,a,b", '2,"a,b', "3,a,b", '4,a,"b', '5,a,"b', "6,a,b", '"7,a,b', "8,a,b"]
    content = "\n".join([header, *rows, ""]).replace(",", separator).encode()
    place.land(f"1/{path}{'.gz' if compressed else ''}", gzip.compress(content) if compressed else content)

    assert place.extract().warnings == []

    found = [
        (row["source_line"], first_field(row, id_column, separator), row["parse_error"]) for row in place.read(table)
    ]
    stray = {3: '2,"a,b', 5: '4,a,"b', 6: '5,a,"b', 8: '"7,a,b'}
    assert found == [
        (line, *((None, "a quote is not closed") if line in stray else (str(line - 1), None))) for line in range(2, 10)
    ]
    raw = {row["source_line"]: row["raw_record"].replace(separator, ",") for row in place.read(table)}
    assert {line: raw[line] for line in stray} == stray


@pytest.mark.usefixtures("tiny_chunks")
def test_a_quote_that_is_not_closed_costs_only_its_line_across_chunks(place: Place) -> None:
    rows = [f"{i},added,{i},{chr(34) if i % 50 == 7 else ''}name {i}\n" for i in range(300)]
    place.land("1/events/a.csv", HEADER + "".join(rows))

    place.extract()

    assert [row["source_line"] for row in place.events()] == list(range(2, 302))
    refused = [row["source_line"] - 2 for row in place.events() if row["parse_error"]]
    assert refused == list(range(7, 300, 50))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark_is_read(place: Place, encoding: str, compressed: bool) -> None:
    texts = {
        "events/a.jsonl": json_lines("é", "🦆"),
        "events/b.csv": 'sep=;\r\nevent_id;event_type\r\n"two\nlines";added\r\n',
    }
    for path, text in texts.items():
        content = ("\ufeff" + text).encode(encoding)
        place.land(f"1/{path}{'.gz' if compressed else ''}", gzip.compress(content) if compressed else content)

    assert place.extract().warnings == []

    assert event_ids(place.events()) == ["é", "🦆", "two\nlines"]
    assert [row["source_line"] for row in place.events()] == [1, 2, 3]


def test_the_separator_is_the_one_that_yields_the_most_known_names_of_that_kind(place: Place) -> None:
    place.land("1/data_export/contacts.csv", "ContactID;FirstName;City, Country, or none\n1;Ann;Lyon, France, x\n")
    place.land(
        "1/report_logs/contacts-added.csv", "Timestamp\tContact ID\tUser, Team, Other, More\n2026\t2\tBob, Cid\n"
    )
    place.land("1/users/u.csv", "sep=|\nuser_id|user_name\n3|Ann, Lee; Bob\n")

    place.extract()

    delimiters = {row["source_file"]: row["delimiter"] for row in place.read("files")}
    assert delimiters["1/data_export/contacts.csv"] == ";"
    assert delimiters["1/report_logs/contacts-added.csv"] == "\t"
    assert [row["parse_error"] for row in place.read("data_export")] == [None]
    assert [(row["user_id"], row["source_line"]) for row in place.read("users")] == [("3", 3)]


def test_byte_order_marks_at_the_start_and_where_files_were_joined_are_no_records(place: Place) -> None:
    bom = codecs.BOM_UTF8
    lines, csv = json_lines(1).encode(), b"event_id,event_type\n2,added\n"
    place.land("1/events/a.jsonl", bom * 2 + lines + bom + lines + bom + b"\n" + bom * 3 + lines)
    place.land("1/events/b.csv", bom * 2 + csv + bom + csv + bom + b"3,added\n")
    place.land("1/events/c.jsonl.gz", gzip.compress(bom + lines) + gzip.compress(bom + lines))

    assert place.extract().warnings == []

    assert event_ids(place.events()) == ["1", "1", "1", "2", "2", "3", "1", "1"]
    assert [row["source_line"] for row in place.events()] == [1, 2, 4, 2, 4, 5, 1, 2]


ANSI = {
    "1/events/a.jsonl": b'{"event_id": "Zo\xc3\xab"}\n{"event_id": "Jos\xe9"}\n',
    "1/events/b.csv": b"event_id,event_type\nJos\xe9,added\nAnn,added\n",
    "1/events/c.csv": b'event_id,event_type\n"Jos\xe9",added\n"Ann",added\n',
}


def test_without_the_encoding_a_record_that_is_not_utf_8_and_its_file_name_the_setting(place: Place) -> None:
    for path, content in ANSI.items():
        place.land(path, content)

    warnings = place.extract().warnings

    assert [warning.split(" has records that are not UTF-8; ")[0] for warning in warnings] == list(ANSI)
    assert all("CONTACT_REPORTS_ENCODING" in warning and "cp1252" in warning for warning in warnings)
    refused = [row for row in place.events() if row["parse_error"]]
    assert [row["parse_error"] for row in refused] == ["not UTF-8, and CONTACT_REPORTS_ENCODING is not set"] * 3
    assert [row["raw_bytes"] for row in refused] == [
        b'{"event_id": "Jos\xe9"}',
        b"Jos\xe9,added",
        b'"Jos\xe9",added',
    ]
    assert place.extract().warnings == []


@pytest.mark.parametrize("chunks", ["whole", "tiny_chunks"])
def test_with_the_encoding_records_that_are_not_utf_8_are_read_in_it_and_keep_their_bytes(
    place: Place, chunks: str, request: pytest.FixtureRequest
) -> None:
    if chunks == "tiny_chunks":
        request.getfixturevalue(chunks)
    for path, content in ANSI.items():
        place.land(path, content)
    place.land("1/report_logs/contacts-added.csv", b"Timestamp;Contact ID;Pr\xe9nom\n2026;1;\x80\n")

    assert place.extract(encoding="cp1252").warnings == []

    rows = place.events()
    assert event_ids(rows) == ["Zoë", "José", "José", "Ann", "José", "Ann"]
    assert [(row["raw_record"], row["raw_bytes"]) for row in rows if row["event_id"] == "José"] == [
        ('{"event_id": "José"}', b'{"event_id": "Jos\xe9"}'),
        ("José,added", b"Jos\xe9,added"),
        ('"José",added', b'"Jos\xe9",added'),
    ]
    assert all(row["raw_bytes"] is None for row in rows if row["event_id"] != "José")
    assert [row["raw_bytes"] for row in place.read("report_logs")] == [b"2026;1;\x80"]


def test_what_is_not_text_in_the_encoding_either_is_refused_and_kept(place: Place) -> None:
    place.land("1/events/a.csv", b"event_id,event_type\nJos\xe9,added\n\x81,added\n")

    (warning,) = place.extract(encoding="cp1252").warnings

    assert warning.startswith("1/events/a.csv has records that are not UTF-8 and not cp1252; ")
    assert [row["parse_error"] for row in place.events()] == [None, "not UTF-8 and not cp1252"]
    assert place.events()[1]["raw_bytes"] == b"\x81,added"


def test_a_file_that_had_records_in_another_encoding_is_loaded_again_once_the_encoding_is_set(place: Place) -> None:
    for path, content in ANSI.items():
        place.land(path, content)
    place.land("1/users/u.csv", b"user_id,user_name\n1,Jos\xe9\n")
    place.land("1/events/plain.csv", "event_id\nx\n")
    place.extract()

    assert place.extract(encoding="cp1251").files == 4
    assert place.extract(encoding="cp1251").files == 0
    assert place.extract().files == 0
    assert [row["user_name"] for row in place.read("users")] == [None, "Josй"]


def test_a_file_whose_records_are_not_text_in_the_encoding_either_is_not_loaded_again(place: Place) -> None:
    place.land("1/events/a.csv", b"event_id\n\x81\n")
    place.extract()

    assert [place.extract(encoding="cp1252").files for _ in range(3)] == [1, 0, 0]
    assert place.extract(encoding="latin-1").files == 1
    assert event_ids(place.events()) == [None, None, "\x81"]
