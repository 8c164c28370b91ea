"""Every record of a readable file arrives once and unchanged, however large, odd or mistaken it is."""

import csv
import gzip
import hashlib
import io
import time
from random import Random

import pytest

from orchestration.lib.extraction.encodings import INVALID_BYTE_MARK
from tests.integration.extraction.place import Place, event_ids, json_lines, rows_of


def test_every_record_says_where_it_comes_from(place: Place) -> None:
    content = json_lines("x")
    place.land("2/events/a.jsonl", content)
    place.land("2/channels/c.csv", "channel_id,channel_name,channel_type,deleted_at\n7,Web,chat,\n")

    place.extract()

    (event,), (channel,) = place.events(), place.read("channels")
    (file,) = place.loaded("2/events/a.jsonl")
    assert (event["workspace_folder"], event["route"], event["source_file"]) == ("2", "events", "2/events/a.jsonl")
    assert (event["source_line"], event["raw_record"]) == (1, content.strip())
    assert (channel["route"], channel["channel_id"], channel["channel_name"]) == (None, "7", "Web")
    assert (channel["source_line"], channel["deleted_at"], channel["raw_record"]) == (2, "", "7,Web,chat,")
    assert file["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert (file["bytes"], file["records"], file["workspace_folder"]) == (len(content), 1, "2")
    assert [row["timezone"] for row in place.read("workspaces")] == ["UTC", "Europe/Paris"]


@pytest.mark.slow
def test_thousands_of_small_files_all_arrive(place: Place) -> None:
    for i in range(3000):
        place.land(f"{i % 3}/events/{i:04}.jsonl", json_lines(*(f"{i}-{j}" for j in range(5))))
    started = time.monotonic()

    result = place.extract()

    assert time.monotonic() - started < 30
    assert (result.files, result.records, result.warnings) == (3001, 15002, [])
    assert set(event_ids(place.events())) == {f"{i}-{j}" for i in range(3000) for j in range(5)}


NOT_UTF_8 = "not UTF-8, and CONTACT_REPORTS_ENCODING is not set"
FIFTY_MB, TEN_MB = b"x" * (50 << 20), b"x" * (10 << 20)


@pytest.mark.parametrize(
    ("name", "content", "parse_error"),
    [
        ("object.jsonl", b'{"contact_name": "%b"}' % FIFTY_MB, None),
        ("garbage.jsonl", FIFTY_MB, "not JSON"),
        ("unfinished.jsonl", b'{"contact_name": "' + TEN_MB.replace(b"xx", b'\\"'), "not JSON"),
        ("not text.jsonl", b'{"contact_name": "\xff%b"}' % TEN_MB, NOT_UTF_8),
        ("quoted.csv", b'event_id,contact_name\n1,"%b"' % TEN_MB, None),
        ("plain.csv", b"event_id,contact_name\n1,%b" % TEN_MB, None),
        ("commas.csv", b"event_id,contact_name\n" + b"," * (1 << 20), "expected 2 fields, found 1048577"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_of_many_megabytes_is_one_record(
    place: Place, name: str, content: bytes, parse_error: str | None
) -> None:
    place.land(f"1/events/{name}", content + b"\n")

    result = place.extract()

    assert len(result.warnings) == (parse_error == NOT_UTF_8)
    (found,) = rows_of(
        "select parse_error, strlen(raw_record) as length, md5(raw_record) as md5, octet_length(raw_bytes) as bytes, "
        "md5(contact_name) as name from read_parquet($1::varchar[])",
        [place.parquet("events")],
    )
    line = content.rsplit(b"\n", 1)[-1]
    shown = line.replace(b"\xff", b"\\xFF")
    assert found == {
        "parse_error": parse_error,
        "length": len(shown),
        "md5": hashlib.md5(shown).hexdigest(),
        "bytes": len(line) if shown != line else None,
        "name": None if parse_error else hashlib.md5(max(line.split(b'"'), key=len).removeprefix(b"1,")).hexdigest(),
    }


@pytest.mark.usefixtures("tiny_chunks")
def test_a_large_file_is_the_same_records_as_a_small_one(place: Place) -> None:
    rows = [[str(i), "added", "two\nlines" if i > 150 and i % 3 == 0 else f"name {i}"] for i in range(300)]
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["event_id", "event_type", "contact_name"], *rows])
    place.land("1/events/a.csv", written.getvalue())
    place.land("2/events/b.csv.gz", gzip.compress(written.getvalue().encode()))
    place.land("1/events/c.jsonl", "\n\n" + json_lines(*range(300)))

    place.extract()

    *from_csv, lines = (
        [row for row in place.events() if row["source_file"] == name]
        for name in ("1/events/a.csv", "2/events/b.csv.gz", "1/events/c.jsonl")
    )
    for found in from_csv:
        assert [[row["event_id"], row["event_type"], row["contact_name"]] for row in found] == rows
        assert [row["source_line"] for row in found] == [
            2 + i + sum("\n" in name for _, _, name in rows[:i]) for i in range(300)
        ]
    assert [(row["source_line"], row["event_id"]) for row in lines] == [(i + 3, str(i)) for i in range(300)]


def test_a_file_without_records_is_loaded_once(place: Place) -> None:
    files = {
        "a.jsonl": b"",
        "b.jsonl": b"\n \r\n\t\n",
        "c.jsonl": b"\xef\xbb\xbf",
        "d.csv": b"\n",
        "e.csv": b"\xef\xbb\xbf\r\n",
        "f.csv": b"event_id,event_type\n",
        "g.csv": b"event_id,event_type\n\n\n",
        "h.jsonl.gz": gzip.compress(b""),
        "i.csv.gz": gzip.compress(b"event_id\n"),
    }
    for name, content in files.items():
        place.land(f"1/events/{name}", content)
    place.land("1/users/empty.csv", b"")

    first, second = place.extract(), place.extract()

    assert (first.files, first.warnings, second.files, second.warnings) == (len(files) + 2, [], 0, [])
    assert [[row["records"] for row in place.loaded(f"1/events/{name}")] for name in files] == [[0]] * len(files)


@pytest.mark.parametrize("suffix", [".gz", ".GZ"])
def test_compressed_files_bring_what_they_hold(place: Place, suffix: str) -> None:
    place.land(
        f"1/events/a.jsonl{suffix}", gzip.compress(json_lines(1).encode()) + gzip.compress(json_lines(2).encode())
    )
    place.land(f"1/events/b.csv{suffix}", gzip.compress(b'event_id;contact_name\r\n3;"a;b"\r\n4;c\r\n'))
    place.land(f"1/users/u.csv{suffix}", gzip.compress(b"user_id,user_name\n1,A\n"))

    assert place.extract().warnings == []

    assert event_ids(place.events()) == ["1", "2", "3", "4"]
    assert [row["contact_name"] for row in place.events()] == [None, None, "a;b", "c"]
    assert [row["user_name"] for row in place.read("users")] == ["A"]


def test_lines_of_csv_are_counted_through_blank_lines_and_line_breaks_in_quotes(place: Place) -> None:
    place.land(
        "1/events/a.csv",
        '\ufeff\r\n"event_id","contact\r\n_name",contact_name\r\n1,,Ann\r\n\r\n'
        '2,,"two\r\nlines\n\n"\r\n   \r\n3,,Eve\r\n4,Bob\r\n',
    )

    place.extract()

    found = [(row["source_line"], row["event_id"], row["contact_name"], row["parse_error"]) for row in place.events()]
    assert found == [
        (4, "1", "Ann", None),
        (6, "2", "two\r\nlines\n\n", None),
        (11, "3", "Eve", None),
        (12, None, None, "expected 3 fields, found 2"),
    ]
    assert [row["raw_record"] for row in place.events()][1::2] == ['2,,"two\r\nlines\n\n"', "4,Bob"]


def test_bytes_that_are_no_text_are_kept(place: Place) -> None:
    random = Random(1)
    special = b"\xff\xc3\xef\xb7\x90\"\\x41\\'{},;:\x00\x7f\x1f a0"
    lines = [bytes(random.choices(special, k=random.randrange(1, 12))) for _ in range(500)]
    lines = [line for line in lines if line.strip(b" ")]
    place.land("1/events/a.jsonl", b"\n".join(lines))
    plain = [line.replace(b'"', b"") + b"-" for line in lines]
    place.land("1/events/b.csv", b"\n".join([b"event_id", *plain]))
    quoted = [b'"' + line.replace(b'"', b'""').replace(b"a", b"\n") + b'"' for line in lines]
    place.land("1/events/c.csv", b"\n".join([b"event_id", *quoted]))

    place.extract()

    for name, expected in (("a.jsonl", lines), ("b.csv", plain), ("c.csv", quoted)):
        rows = [row for row in place.events() if row["source_file"] == f"1/events/{name}"]
        assert [row["raw_bytes"] or row["raw_record"].encode() for row in rows] == expected
        for row, record in zip(rows, expected, strict=True):
            assert (row["raw_bytes"] is not None) == (row["parse_error"] == NOT_UTF_8) == (not is_plain(record))


def is_plain(data: bytes) -> bool:
    try:
        return INVALID_BYTE_MARK not in data.decode()
    except UnicodeDecodeError:
        return False


def test_a_line_is_blank_or_a_record_whether_or_not_the_file_has_quotes(place: Place) -> None:
    characters = ("\u00a0", "\u0085", "\u2028", "\u3000", "\x0b", "\x1c", "\x00", "\ufeff", "\f", " ")
    for character in characters:
        for name in ("a", '"a"'):
            place.land(f"1/events/{ord(character)} {name}.csv", f"event_id,contact_name\n1,{name}\n{character}\n2,b\n")

    place.extract()

    records: dict[str, list[tuple[int, str | None]]] = {}
    for row in place.events():
        records.setdefault(row["source_file"], []).append((row["source_line"], row["parse_error"]))
    plain, quoted = (
        {character: records[f"1/events/{ord(character)} {name}.csv"] for character in characters}
        for name in ("a", '"a"')
    )
    assert plain == quoted
    assert plain[" "] == [(2, None), (4, None)]


def test_a_csv_file_whose_header_cannot_be_split_is_not_silently_empty(place: Place) -> None:
    place.land("1/events/old_mac.csv", "event_id,event_type\r1,added\r2,added\r")

    result = place.extract()

    assert place.events() or any("1/events/old_mac.csv" in warning for warning in result.warnings)


def test_a_number_with_an_exponent_is_not_made_an_id(place: Place) -> None:
    place.land("1/events/a.jsonl", '{"event_id": "x", "contact_id": 1e3}\n{"event_id": "y", "contact_id": 1000.0}\n')

    place.extract()

    assert [row["contact_id"] for row in place.events()] == ["1e3", "1000.0"]


def test_an_export_keeps_its_header_once_and_its_fields_in_their_order(place: Place) -> None:
    place.land("1/report_logs/a.csv", '\ufeff Marca de Tiempo;"ID, de contacto"\n2026-01-01;7\n8\n"a;b";9\n')
    place.land("1/report_logs/b.csv", b"Caf\xe9,B\n1,2\n")
    place.land("1/data_export/header only.csv", "Contact ID\n")
    place.land("1/data_export/nothing.csv", "")
    place.land("1/events/a.csv", "event_id\n1\n")

    assert place.extract().warnings == []

    files = {row["source_file"]: (row["header"], row["delimiter"]) for row in place.read("files")}
    assert files == {
        "workspaces.csv": (None, None),
        "1/report_logs/a.csv": ([" Marca de Tiempo", "ID, de contacto"], ";"),
        "1/report_logs/b.csv": (["Caf\\xE9", "B"], ","),
        "1/data_export/header only.csv": (["Contact ID"], ","),
        "1/data_export/nothing.csv": ([], ","),
        "1/events/a.csv": (None, None),
    }
    # Of a file without quotes a line is its fields already.
    rows = [(row["raw_record"], row["fields"], row["parse_error"]) for row in place.read("report_logs")]
    assert rows == [
        ("2026-01-01;7", ["2026-01-01", "7"], None),
        ("8", None, "expected 2 fields, found 1"),
        ('"a;b";9', ["a;b", "9"], None),
        ("1,2", None, None),
    ]


def test_names_of_columns_in_our_own_files_count_without_case_and_what_cannot_be_seen_around_them(place: Place) -> None:
    place.land("1/events/a.csv", "\ufeffEVENT_ID \u00a0,\u200bUser_ID,user_id\n1,7,8\n")

    place.extract()

    assert [(row["event_id"], row["user_id"]) for row in place.events()] == [("1", "7")]
