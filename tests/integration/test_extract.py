"""Shows with real landing folders that extraction brings every record once, whatever the files are and become."""

import csv
import glob
import gzip
import hashlib
import io
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.lib import decoding
from orchestration.lib import extract as extract_module
from orchestration.lib.extract import Extraction, extract
from orchestration.lib.landing import Landing, Listing
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone import RECORD_TABLES, RawZone
from orchestration.lib.reading import INVALID_BYTE_MARK, read_csv, read_lines

Row = dict[str, Any]

EVENTS = RECORD_TABLES["events"]
WORKSPACES = "workspace_id,workspace_name,timezone\n1,One,UTC\n2,Two,Europe/Paris\n"
NOBODY = 65534


class Place:
    """A landing folder with two workspaces, and what is extracted from it."""

    def __init__(self, folder: Path, raw: str = "raw") -> None:
        self.landing = folder / "landing"
        self.raw = folder / raw
        self.cache = folder / "state" / "checksums.json"
        self.land("workspaces.csv", WORKSPACES)

    def land(self, path: str, content: str | bytes) -> Path:
        """Have a file arrive, or change; where it stands already, in place."""
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def land_parquet(self, path: str, query: str, options: str = "") -> Path:
        """Have a Parquet file arrive, whatever characters its name has."""
        with tempfile.TemporaryDirectory() as folder:
            reader().execute(f"copy ({query}) to '{folder}/rows.parquet' (format parquet {options})")
            return self.land(path, Path(folder, "rows.parquet").read_bytes())

    def extract(self, landing: Landing | None = None) -> Extraction:
        result = extract(landing or Landing(str(self.landing)), RawZone(self.raw), self.cache)
        self.check(result)
        return result

    def read(self, table: str) -> list[Row]:
        """All rows of a table of the raw zone, in the order of loading."""
        order = "file_id" if table == "files" else "file_id, source_line"
        return rows_of(f"select * from read_parquet($1::varchar[]) order by {order}", [self.parquet(table)])

    def parquet(self, table: str) -> list[str]:
        """The files of a table, as patterns that match only them."""
        return [glob.escape(str(file)) for file in self.raw.glob(f"batch_id=*/{table}-*.parquet")]

    def events(self) -> list[Row]:
        return self.read("events")

    def loaded(self, path: str) -> list[Row]:
        """The versions of a file that were loaded, the first one first."""
        return [row for row in self.read("files") if row["source_file"] == path]

    def check(self, result: Extraction) -> None:
        """What must hold after every run: nothing is there twice or by half, and batches agree with their manifests."""
        assert all(re.fullmatch(r"batch_id=\d+", path.name) for path in self.raw.iterdir())
        assert {path.name for path in self.cache.parent.glob("*")} <= {self.cache.name}
        files = self.read("files")
        assert len({row["file_id"] for row in files}) == len(files)
        lines = " union all ".join(
            f"select file_id, source_line from read_parquet(${i}::varchar[])" for i in range(1, 5)
        )
        counts = rows_of(
            "select file_id, count(*) as records, count(distinct source_line) as lines "
            f"from ({lines}) group by file_id",
            [self.parquet(table) for table in RECORD_TABLES],
        )
        assert all(row["records"] == row["lines"] for row in counts)
        assert {row["file_id"]: row["records"] for row in counts} == {
            row["file_id"]: row["records"] for row in files if row["records"]
        }
        batch = files[len(files) - result.files :]
        assert result.records == sum(row["records"] for row in batch)
        assert (result.batch_id is not None) == (result.files > 0)
        assert len({row["loaded_at"] for row in batch}) <= 1


@cache
def reader() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def rows_of(query: str, parameters: object) -> list[Row]:
    cursor = reader().execute(query, parameters)
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def remembers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have checksums remembered from the first run on, as they are for a file that has lain for a while."""
    monkeypatch.setattr(extract_module, "_SETTLED_SECONDS", -1.0)


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every file that is more than a few records treated like a large one."""
    monkeypatch.setattr(extract_module, "read_lines", partial(read_lines, chunk_bytes=1500))
    monkeypatch.setattr(extract_module, "read_csv", partial(read_csv, chunk_bytes=1500))


def json_lines(*event_ids: object) -> str:
    return "".join(json.dumps({"event_id": str(event_id), "event_type": "added"}) + "\n" for event_id in event_ids)


def event_ids(rows: Iterable[Row]) -> list[str]:
    return [row["event_id"] for row in rows]


# Which files are new


def test_a_second_run_loads_nothing(place: Place) -> None:
    place.land("1/events/a.jsonl", json_lines(1, 2))
    place.land("1/events/b.csv", "event_id\n3\n")
    place.land_parquet("2/events/c.parquet", "select '4' as event_id")
    place.land("1/users/u.csv", "user_id,user_name\n1,Ada\n")

    first, second = place.extract(), place.extract()

    assert (first.batch_id, first.files, first.records, first.warnings) == (1, 5, 7, [])
    assert (second.batch_id, second.files, second.records, second.warnings) == (None, 0, 0, [])


def test_every_record_says_where_it_comes_from(place: Place) -> None:
    content = json_lines("x")
    place.land("2/events/a.jsonl", content)
    place.land("2/channels/c.csv", "channel_id,channel_name,channel_type,deleted_at\n7,Web,chat,\n")

    place.extract()

    (event,), (channel,) = place.events(), place.read("channels")
    (file,) = place.loaded("2/events/a.jsonl")
    assert (event["workspace_folder"], event["route"], event["source_file"]) == ("2", "events", "2/events/a.jsonl")
    assert (event["source_line"], event["raw_record"]) == (1, content.strip())
    assert (channel["route"], channel["channel_id"], channel["channel_name"]) == ("channels", "7", "Web")
    assert (channel["source_line"], channel["deleted_at"], channel["raw_record"]) == (2, "", "7,Web,chat,")
    assert file["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert (file["bytes"], file["records"], file["workspace_folder"]) == (len(content), 1, "2")
    assert [row["timezone"] for row in place.read("workspaces")] == ["UTC", "Europe/Paris"]


def test_an_event_file_under_another_name_is_not_loaded_again(place: Place) -> None:
    file = place.land("1/events/a.jsonl", json_lines(1))
    place.extract()

    file.rename(file.with_name("b.csv"))
    place.land("1/events/c.jsonl", json_lines(1))

    assert place.extract().files == 0
    assert event_ids(place.events()) == ["1"]


def test_event_files_with_the_same_bytes_that_arrive_together_are_loaded_once(place: Place) -> None:
    place.land("1/events/b.jsonl", json_lines(1))
    place.land("1/events/a.jsonl", json_lines(1))

    place.extract()

    assert [row["source_file"] for row in place.events()] == ["1/events/a.jsonl"]


def test_the_same_bytes_in_another_workspace_are_loaded(place: Place) -> None:
    place.land("1/events/a.jsonl", json_lines(1))
    place.extract()

    place.land("2/events/a.jsonl", json_lines(1))
    place.land("unlisted/events/a.jsonl", json_lines(1))

    assert place.extract().files == 2
    assert [row["workspace_folder"] for row in place.events()] == ["1", "2", "unlisted"]


def test_a_changed_event_file_is_loaded_again_in_full_and_never_again_when_it_changes_back(place: Place) -> None:
    place.land("1/events/a.jsonl", json_lines(1, 2))
    place.extract()
    place.land("1/events/a.jsonl", json_lines(1, 2, 3))
    place.extract()
    place.land("1/events/a.jsonl", json_lines(1, 2))
    place.extract()

    assert event_ids(place.events()) == ["1", "2", "1", "2", "3"]
    assert len(place.loaded("1/events/a.jsonl")) == 2


def test_a_directory_file_is_loaded_whenever_it_differs_from_what_was_loaded_last_from_its_path(place: Place) -> None:
    for name in ("A", "B", "B", "A", "A"):
        place.land("1/users/u.csv", f"user_id,user_name\n1,{name}\n")
        place.extract()

    assert [row["user_name"] for row in place.read("users")] == ["A", "B", "A"]


def test_a_directory_file_is_loaded_from_every_path(place: Place) -> None:
    users = "user_id,user_name\n1,A\n"
    place.land("1/users/u.csv", users)
    place.extract()
    place.land("1/users/v.csv", users)
    place.land("2/users/u.csv", users)

    assert place.extract().files == 2


def test_the_list_of_workspaces_is_loaded_whenever_it_changes(place: Place) -> None:
    first = place.extract()
    place.land("workspaces.csv", WORKSPACES + "3,Three,UTC\n")
    second = place.extract()
    place.land("workspaces.csv", WORKSPACES)
    third = place.extract()

    assert (first.records, second.records, third.records) == (2, 3, 2)


def test_a_file_that_was_only_touched_is_not_loaded_again(place: Place) -> None:
    file = place.land("1/users/u.csv", "user_id,user_name\n1,A\n")
    place.extract()

    os.utime(file, (1, 1))

    assert place.extract().files == 0


@pytest.mark.usefixtures("remembers_at_once")
def test_a_change_that_keeps_size_and_modification_time_is_noticed(place: Place) -> None:
    file = place.land("1/users/u.csv", "user_id,user_name\n1,A\n")
    before = file.stat()
    place.extract()

    time.sleep(0.05)
    place.land("1/users/u.csv", "user_id,user_name\n1,B\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    place.extract()

    assert [row["user_name"] for row in place.read("users")] == ["A", "B"]


class SlowClockLanding(Landing):
    """A landing folder on a file system whose clock does not tick while a test runs."""

    def list(self) -> Listing:
        listing = super().list()
        listing.files = [replace(file, signature=str(file.size)) for file in listing.files]
        return listing


def test_a_change_within_one_tick_of_the_clock_is_noticed(place: Place) -> None:
    landing = SlowClockLanding(str(place.landing))
    for name in "ABC":
        place.land("1/users/u.csv", f"user_id,user_name\n1,{name}\n")
        place.extract(landing)

    assert [row["user_name"] for row in place.read("users")] == ["A", "B", "C"]


@pytest.mark.usefixtures("remembers_at_once")
def test_a_lost_or_damaged_cache_of_checksums_changes_nothing(place: Place) -> None:
    place.land("1/events/a.jsonl", json_lines("a"))
    place.extract()
    assert "1/events/a.jsonl" in place.cache.read_text()

    place.cache.unlink()
    for i, content in enumerate((None, b"", b"{", b"[]", b"null", b"\xff", b'{"1/events/a.jsonl": 1}')):
        if content is not None:
            place.cache.write_bytes(content)
        place.land(f"1/events/b{i}.jsonl", json_lines(i))
        assert place.extract().files == 1

    assert place.extract().files == 0


def test_files_are_loaded_in_the_order_of_the_bytes_of_their_paths(place: Place) -> None:
    for name in ("z", "é", "B", "a", "a.b", "a-b", "10", "9", "🦆", "\ue000"):
        for workspace in ("2", "1", "é"):
            place.land(f"{workspace}/events/{name}.jsonl", json_lines(workspace + name))

    place.extract()

    paths = [row["source_file"] for row in place.events()]
    assert len(paths) == 30
    assert paths == sorted(paths, key=lambda path: path.encode())


# How many and how large


@pytest.mark.slow
def test_thousands_of_small_files_all_arrive(place: Place) -> None:
    for i in range(3000):
        place.land(f"{i % 3}/events/{i:04}.jsonl", json_lines(*(f"{i}-{j}" for j in range(5))))
    started = time.monotonic()

    result = place.extract()

    assert time.monotonic() - started < 30
    assert (result.files, result.records, result.warnings) == (3001, 15002, [])
    assert set(event_ids(place.events())) == {f"{i}-{j}" for i in range(3000) for j in range(5)}


FIFTY_MB, TEN_MB = b"x" * (50 << 20), b"x" * (10 << 20)


@pytest.mark.parametrize(
    ("name", "content", "parse_error"),
    [
        ("object.jsonl", b'{"contact_name": "%b"}' % FIFTY_MB, None),
        ("garbage.jsonl", FIFTY_MB, "not JSON"),
        ("unfinished.jsonl", b'{"contact_name": "' + TEN_MB.replace(b"xx", b'\\"'), "not JSON"),
        ("not text.jsonl", b'{"contact_name": "\xff%b"}' % TEN_MB, "not UTF-8"),
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

    assert result.warnings == []
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


# What a file may be


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


def test_a_parquet_file_without_rows_is_loaded_once(place: Place) -> None:
    place.land_parquet("1/events/a.parquet", "select 'x' as event_id where false")

    assert (place.extract().files, place.extract().files) == (2, 0)


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


ODD_NAMES = (
    "with spaces",
    " leading and trailing ",
    "it's",
    'say "hi"',
    "[x]",
    "[",
    "]",
    "a*",
    "ab",
    "?",
    "{a,b}",
    "é",
    "e\u0301",
    "李小龙 🦆",
    "back\\slash",
    "line\nbreak",
    "%41%2F",
    "~",
    "$HOME",
    "a::b",
    "file:x",
    "http:x",
    "x=1",
    "#;&|",
    "-",
    "..x"[2:] + "..",
    "n" * 200,
)


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet", ".jsonl.gz"])
def test_a_file_may_have_any_name(place: Place, ending: str) -> None:
    for i, name in enumerate(ODD_NAMES):
        path = f"1/events/{name}{ending}"
        if ending == ".parquet":
            place.land_parquet(path, f"select '{i}' as event_id")
        elif ending == ".csv":
            place.land(path, f"event_id\n{i}\n")
        else:
            place.land(path, gzip.compress(json_lines(i).encode()) if ending.endswith(".gz") else json_lines(i))

    result = place.extract()

    assert result.warnings == []
    assert {row["source_file"]: row["event_id"] for row in place.events()} == {
        f"1/events/{name}{ending}": str(i) for i, name in enumerate(ODD_NAMES)
    }
    assert place.extract().files == 0


def test_a_parquet_file_may_have_a_backslash_before_a_bracket_in_its_name(place: Place) -> None:
    place.land_parquet("1/events/a\\[b].parquet", "select 'x' as event_id")

    assert place.extract().warnings == []
    assert event_ids(place.events()) == ["x"]


@pytest.mark.parametrize("name", ["it's", "[1]", "*", "a b", "é", "x=1", "batch_id=1"])
def test_folders_may_have_any_name(tmp_path: Path, name: str) -> None:
    odd = tmp_path / name
    odd.mkdir()
    place = Place(odd, raw=f"raw {name}")
    place.land(f"{name}/events/a.jsonl", json_lines(1))
    place.land_parquet(f"{name}/events/b.parquet", "select '2' as event_id")

    first, second = place.extract(), place.extract()

    assert (first.files, first.warnings, second.files) == (3, [], 0)
    assert {row["workspace_folder"] for row in place.events()} == {name}


def test_a_name_that_is_no_text_is_named_and_left_alone(place: Place) -> None:
    events = place.land("1/events/a.jsonl", json_lines(1)).parent
    try:
        Path(os.fsdecode(os.fsencode(events) + b"/\xff.jsonl")).write_bytes(b"{}")
    except OSError:
        pytest.skip("this file system has only names that are text")

    result = place.extract()

    assert len(result.warnings) == 1 and "1/events/\\udcff.jsonl" in result.warnings[0]
    assert event_ids(place.events()) == ["1"]


def test_a_file_that_is_not_complete_is_left_alone(place: Place) -> None:
    for name in (".a.jsonl", "a.jsonl.tmp", "a.jsonl.part", ".hidden", "a.parquet.tmp", ".tmp", "a.csv.gz.part"):
        place.land(f"1/events/{name}", json_lines(1))
    place.land(".2/events/a.jsonl", json_lines(2))
    place.land("1/.events/a.jsonl", json_lines(3))
    place.land("2.tmp/events/a.jsonl", json_lines(4))
    place.land("1/events/tmp.jsonl", json_lines(5))

    result = place.extract()

    assert (result.files, result.warnings) == (2, [])
    assert event_ids(place.events()) == ["5"]
    (place.landing / "1/events/a.jsonl.part").rename(place.landing / "1/events/a.jsonl")
    place.extract()
    assert event_ids(place.events()) == ["5", "1"]


def test_what_cannot_be_loaded_by_its_name_is_named_in_a_warning(place: Place) -> None:
    for path in (
        "1/events/a.txt",
        "1/events/a.parquet.gz",
        "1/users/u.jsonl",
        "1/evnts/a.jsonl",
        "1/a.jsonl",
        "1/events/d/a.jsonl",
    ):
        place.land(path, json_lines(1))

    warnings = place.extract().warnings

    assert sorted(warning.split(" is not read")[0] for warning in warnings) == [
        *("1/a.jsonl", "1/events/a.parquet.gz", "1/events/a.txt", "1/events/d", "1/evnts", "1/users/u.jsonl"),
    ]


def test_without_a_landing_folder_or_a_list_of_workspaces_the_cure_is_named(place: Place, tmp_path: Path) -> None:
    (place.landing / "workspaces.csv").unlink()
    with pytest.raises(Problem, match="workspace_id,workspace_name,timezone"):
        place.extract()
    with pytest.raises(Problem, match="CONTACT_REPORTS_LANDING"):
        place.extract(Landing(str(tmp_path / "nowhere")))


# Parquet


def test_columns_of_parquet_are_brought_as_text(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        """
        select
            123::double as CONTACT_ID, 9::decimal(18, 0) as merged_contact_id, 7::utinyint as user_id,
            timestamptz '2024-03-01 10:00:00.123456+02' as occurred_at, 'x'::blob as event_id,
            'added'::enum('added') as event_type, null::varchar as source, ' NULL ' as contact_name
        """,
    )
    place.land_parquet("1/events/b.parquet", "select '007' as contact_id, timestamp '2024-03-01 10:00' as occurred_at")

    assert place.extract().warnings == []

    first, second = place.events()
    assert (first["contact_id"], first["merged_contact_id"], first["user_id"]) == ("123.0", "9", "7")
    assert first["occurred_at"] == "2024-03-01 08:00:00.123456+00"
    assert (first["event_id"], first["event_type"], first["source"]) == ("x", "added", None)
    assert (first["contact_name"], first["channel_id"]) == (" NULL ", None)
    assert set(first["number_fields"].split(",")) == {"contact_id", "merged_contact_id", "user_id"}
    assert (first["source_line"], first["raw_record"], first["extra_fields"]) == (1, None, None)
    assert (second["contact_id"], second["occurred_at"]) == ("007", "2024-03-01 10:00:00")
    assert second["number_fields"] == ""


def test_rows_of_parquet_are_counted_from_one_through_all_row_groups(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet", "select range::varchar as event_id from range(10000)", ", row_group_size 2048"
    )

    place.extract()

    assert [(row["source_line"], row["event_id"]) for row in place.events()] == [(i + 1, str(i)) for i in range(10000)]


def test_a_timestamp_of_nanoseconds_with_a_time_zone_keeps_its_offset(place: Place) -> None:
    # DuckDB writes no such column, pandas does: in the footer, only the flag "adjusted to UTC" differs.
    file = place.land_parquet(
        "1/events/a.parquet", "select timestamp_ns '2024-03-01 10:00:00.123456789' as occurred_at"
    )
    without_zone, with_zone = bytes.fromhex("121c3c000000"), bytes.fromhex("111c3c000000")
    assert file.read_bytes().count(without_zone) == 1
    place.land("1/events/b.parquet", file.read_bytes().replace(without_zone, with_zone))

    assert place.extract().warnings == []

    assert [row["occurred_at"] for row in place.events()] == [
        "2024-03-01 10:00:00.123456789",
        "2024-03-01 10:00:00.123456+00",
    ]


def test_unknown_columns_of_parquet_are_kept(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        """
        select
            'x' as event_id, 1 as "odd "" name, é", [1, 2] as list, {'a': 'b'} as struct, null::int as nothing,
            'text' as text, date '2024-01-02' as day, true as yes, 'y' as filename, 'z' as batch_id
        """,
    )

    assert place.extract().warnings == []

    assert json.loads(place.events()[0]["extra_fields"]) == {
        'odd " name, é': 1,
        "list": [1, 2],
        "struct": {"a": "b"},
        "nothing": None,
        "text": "text",
        "day": "2024-01-02",
        "yes": True,
        "filename": "y",
        "batch_id": "z",
    }


def test_unknown_numbers_of_parquet_are_kept_as_they_are_in_json(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        "select 9007199254740993::bigint as a, 1234567890123456789012.12::decimal(38, 2) as b, "
        "'nan'::double as c, '-inf'::float as d",
    )

    place.extract()

    extra = json.loads(
        place.events()[0]["extra_fields"], parse_int=str, parse_float=str, parse_constant=refuse_constant
    )
    assert (extra["a"], extra["b"]) == ("9007199254740993", "1234567890123456789012.12")
    assert {"c", "d"} <= set(extra)


@pytest.mark.parametrize(
    "columns",
    [
        "'\\xFF\\x00'::blob as picture",
        "interval 1 day as i",
        "uuid() as u",
        "map {'a': 1} as m",
    ],
)
def test_an_unknown_column_of_any_name_and_type_does_not_cost_a_parquet_file_its_records(
    place: Place, columns: str
) -> None:
    place.land_parquet("1/events/a.parquet", f"select 'x' as event_id, {columns}")

    result = place.extract()

    assert result.warnings == []
    assert event_ids(place.events()) == ["x"]


# What is not text, or not what it should be


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
            assert (row["raw_bytes"] is not None) == (row["parse_error"] == "not UTF-8") == (not is_plain(record))


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


# Files that cannot be read


PACKED = gzip.compress(json_lines(*range(300)).encode())


def broken_files(place: Place) -> dict[str, bytes]:
    """Files that cannot be read to their end, by path."""
    whole = place.land_parquet(
        "1/broken/whole.parquet",
        "select md5(range::varchar) as event_id, repeat('é', 20) as contact_name from range(20000)",
        ", compression zstd, row_group_size 2048",
    )
    parquet = whole.read_bytes()
    whole.unlink()
    whole.parent.rmdir()
    rotten = bytearray(parquet)
    rotten[len(parquet) // 2 : len(parquet) // 2 + 2000] = bytes(2000)
    return {
        "1/events/a cut.jsonl.gz": PACKED[: len(PACKED) // 2],
        "1/events/a cut.csv.gz": PACKED[:-1],
        "1/events/a checksum.jsonl.gz": PACKED[:-8] + bytes(8),
        "1/events/a rotten.jsonl.gz": PACKED[:300] + bytes(50) + PACKED[350:],
        "1/events/a plain.jsonl.gz": b"{}\n",
        "1/events/b cut.parquet": parquet[: len(parquet) // 2],
        "1/events/b start.parquet": parquet[1:],
        "1/events/b rotten.parquet": bytes(rotten),
        "1/events/b empty.parquet": b"",
        "1/events/b [1].parquet": b"PAR1 no footer PAR1",
        "1/users/u.csv.gz": gzip.compress(b"user_id\n1\n")[:-3],
    }


@pytest.mark.parametrize("chunks", ["chunks as they are", "tiny_chunks"])
def test_a_broken_file_is_named_on_every_run_until_it_is_replaced_and_stops_nothing_else(
    place: Place, chunks: str, request: pytest.FixtureRequest
) -> None:
    if chunks == "tiny_chunks":
        request.getfixturevalue(chunks)
    broken = broken_files(place)
    for path, content in broken.items():
        place.land(path, content)
    place.land("1/events/good.jsonl", json_lines("good"))
    place.land("2/events/good.csv", "event_id\ngood too\n")

    for expected_files in (3, 0):
        result = place.extract()
        assert result.files == expected_files
        assert sorted(warning.split(" is not loaded: it ")[0] for warning in result.warnings) == sorted(broken)
        assert all(warning.endswith("; replace it") for warning in result.warnings)
    assert event_ids(place.events()) == ["good", "good too"]

    for path in list(broken)[::2]:
        place.land(path.replace(".parquet", ".jsonl").replace(".gz", ""), f"event_id\n{path}\n")
        (place.landing / path).unlink()
    result = place.extract()
    assert sorted(warning.split(" is not loaded")[0] for warning in result.warnings) == sorted(list(broken)[1::2])
    assert result.files == len(list(broken)[::2])
    for path in list(broken)[1::2]:
        (place.landing / path).unlink()
    assert place.extract().warnings == []


def test_a_broken_file_is_loaded_once_when_it_is_replaced(place: Place) -> None:
    place.land("1/events/a.jsonl.gz", PACKED[:-100])
    place.land("1/events/b.parquet", b"PAR1")
    assert len(place.extract().warnings) == 2

    place.land("1/events/a.jsonl.gz", PACKED)
    place.land_parquet("1/events/b.parquet", "select 'b' as event_id")

    assert (place.extract().files, place.extract().files) == (2, 0)
    assert event_ids(place.events()) == [*map(str, range(300)), "b"]


def test_a_link_to_a_place_outside_the_landing_folder_is_refused(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "events").mkdir(parents=True)
    (outside / "events" / "secret.jsonl").write_text(json_lines("secret"))
    neighbour = tmp_path / "landing-2"
    neighbour.mkdir()
    (neighbour / "a.jsonl").write_text(json_lines("secret"))
    place.land("1/events/a.jsonl", json_lines("inside"))
    place.land("2/x", "")
    (place.landing / "2/x").unlink()
    targets: dict[str, str | Path] = {
        "1/events/b.jsonl": outside / "events/secret.jsonl",
        "1/events/c.jsonl": "../../../outside/events/secret.jsonl",
        "1/events/d.jsonl": neighbour / "a.jsonl",
        "1/events/e.jsonl": "b.jsonl",
        "2/events": outside / "events",
        "3": outside,
    }
    for link, target in targets.items():
        (place.landing / link).symlink_to(target)

    result = place.extract()

    assert sorted(warning.split(" is not read")[0] for warning in result.warnings) == [
        *("1/events/b.jsonl", "1/events/c.jsonl", "1/events/d.jsonl", "1/events/e.jsonl", "2/events", "3"),
    ]
    assert event_ids(place.events()) == ["inside"]


def test_a_link_within_the_landing_folder_is_a_file_like_any_other(place: Place) -> None:
    place.land("1/.store/v1.jsonl", json_lines(1))
    (place.landing / "1/events").mkdir()
    (place.landing / "1/events/current.jsonl").symlink_to("../.store/v1.jsonl")

    place.extract()

    assert event_ids(place.events()) == ["1"]


@pytest.mark.usefixtures("remembers_at_once")
def test_a_change_behind_a_link_is_noticed(place: Place) -> None:
    place.land("1/.store/u.csv", "user_id,user_name\n1,A\n")
    (place.landing / "1/users").mkdir()
    (place.landing / "1/users/u.csv").symlink_to("../.store/u.csv")
    place.extract()

    time.sleep(0.05)
    place.land("1/.store/u.csv", "user_id,user_name\n1,B\n")
    place.extract()

    assert [row["user_name"] for row in place.read("users")] == ["A", "B"]


@pytest.mark.parametrize("target", ["nowhere.jsonl", "a.jsonl", "."])
def test_a_link_that_leads_to_no_file_is_named_and_stops_nothing_else(place: Place, target: str) -> None:
    place.land("1/events/b.jsonl", json_lines("b"))
    (place.landing / "1/events/a.jsonl").symlink_to(target)

    result = place.extract()

    assert len(result.warnings) == 1 and result.warnings[0].startswith("1/events/a.jsonl is not ")
    assert event_ids(place.events()) == ["b"]


def test_a_workspace_that_is_a_link_is_loaded_or_named(place: Place) -> None:
    place.land("1/events/a.jsonl", json_lines("a"))
    (place.landing / "linked").symlink_to("1")

    result = place.extract()

    assert len(place.events()) == 2 or [warning.split(" ")[0] for warning in result.warnings] == ["linked"]


def test_a_pipe_is_named_and_not_waited_for(place: Place) -> None:
    place.land("1/events/b.jsonl", json_lines("b"))
    pipe = place.landing / "1/events/a.jsonl"
    os.mkfifo(pipe)
    was_read = threading.Event()

    def end_the_wait_of_a_reader() -> None:
        while not finished.is_set():
            try:
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
                was_read.set()
            except OSError:
                time.sleep(0.01)

    finished = threading.Event()
    thread = threading.Thread(target=end_the_wait_of_a_reader, daemon=True)
    thread.start()
    try:
        result = place.extract()
    finally:
        finished.set()
        thread.join()

    assert not was_read.is_set()
    assert [warning.split(" ")[0] for warning in result.warnings] == ["1/events/a.jsonl"]
    assert event_ids(place.events()) == ["b"]


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user who may not read everything, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_place() -> Iterator[Place]:
    """A place in a folder that another user reaches: pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, -1)
        with without_privileges():
            place = Place(Path(folder))
        yield place
        for path in place.landing.rglob("*"):
            path.chmod(0o700)


def test_a_file_that_may_not_be_read_is_named_and_stops_nothing_else(public_place: Place) -> None:
    place = public_place
    with without_privileges():
        names = ("a.jsonl", "b.csv", "c.parquet", "d.jsonl.gz")
        for name in names:
            place.land(f"1/events/{name}", json_lines(1)).chmod(0)
        place.land("1/events/good.jsonl", json_lines("good"))

        for _ in range(2):
            warnings = place.extract().warnings
            assert [warning.split(" is not loaded")[0] for warning in warnings] == [
                f"1/events/{name}" for name in names
            ]
            assert all("Permission denied" in warning for warning in warnings)
        assert event_ids(place.events()) == ["good"]

        (place.landing / "1/events/a.jsonl").chmod(0o600)
        place.extract()
        assert event_ids(place.events()) == ["good", "1"]


@pytest.mark.parametrize("folder", ["", "1", "1/events"])
def test_a_folder_that_may_not_be_read_stops_the_run_before_anything_is_loaded(
    public_place: Place, folder: str
) -> None:
    place = public_place
    with without_privileges():
        place.land("1/events/a.jsonl", json_lines(1))
        place.land("2/events/b.jsonl", json_lines(2))
        (place.landing / folder).chmod(0)

        with pytest.raises(Problem, match="permission"):
            place.extract()

        assert not place.raw.exists()
        (place.landing / folder).chmod(0o700)


# Files that change under the reader


class Tampering(io.BufferedReader):
    """A file being read, to which something happens right after the first read or right after it is closed."""

    def __init__(self, stream: BinaryIO, moment: str, happen: Callable[[], object]) -> None:
        # A buffer smaller than the first read: what comes after it is read from the file as it is by then.
        super().__init__(io.FileIO(stream.fileno(), closefd=False), 500)
        self._stream = stream
        self._moment = moment
        self._happen = happen

    def _reached(self, moment: str) -> None:
        if self._moment == moment:
            self._moment = ""
            self._happen()

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(1000 if self._moment == "after the first read" else size)
        self._reached("after the first read")
        return data

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(memoryview(buffer)[:1000] if self._moment == "after the first read" else buffer)
        self._reached("after the first read")
        return count

    def close(self) -> None:
        super().close()
        self._stream.close()
        self._reached("after it is closed")


class RestlessLanding(Landing):
    """A landing folder where something happens to some files when they are opened for the nth time."""

    def __init__(self, url: str, nth: int, moment: str, happenings: dict[str, Callable[[], object]]) -> None:
        super().__init__(url)
        self.happened: list[str] = []
        self._opened: Counter[str] = Counter()
        self._nth = nth
        self._moment = moment
        self._happenings = happenings

    def open(self, path: str) -> BinaryIO:
        self._opened[path] += 1
        if path not in self._happenings or self._opened[path] != self._nth:
            return super().open(path)

        def happen() -> None:
            self.happened.append(path)
            self._happenings[path]()

        if self._moment == "before it is opened":
            happen()
            return super().open(path)
        return Tampering(super().open(path), self._moment, happen)


def overwrite_tail(file: Path, new: bytes) -> None:
    with open(file, "r+b") as stream:
        stream.seek(len(new) // 2)
        stream.write(new[len(new) // 2 :])


def replace_file(file: Path, new: bytes) -> None:
    file.with_suffix(".tmp").write_bytes(new)
    file.with_suffix(".tmp").replace(file)


def append(file: Path, text: str) -> None:
    with open(file, "a") as stream:
        stream.write(text)


HAPPENINGS: dict[str, Callable[[Path, bytes], object]] = {
    "removed": lambda file, new: file.unlink(),
    "replaced": replace_file,
    "overwritten": lambda file, new: file.write_bytes(new),
    "half overwritten": overwrite_tail,
    "emptied": lambda file, new: os.truncate(file, 0),
    "cut": lambda file, new: os.truncate(file, 1500),
    "appended to": lambda file, new: append(file, json_lines(file.stem)),
}


@pytest.mark.parametrize(
    ("nth", "moment", "left_for_the_next_run"),
    [
        (1, "after the first read", {"removed", "replaced", "overwritten", "emptied"}),
        (1, "after it is closed", set(HAPPENINGS)),
        (2, "after the first read", {"overwritten", "half overwritten", "emptied", "cut", "appended to"}),
    ],
)
@pytest.mark.parametrize("chunks", ["whole", "tiny_chunks"])
def test_a_file_that_changes_while_it_is_read_is_never_half_loaded(
    place: Place, request: pytest.FixtureRequest, chunks: str, nth: int, moment: str, left_for_the_next_run: set[str]
) -> None:
    if chunks == "tiny_chunks":
        request.getfixturevalue(chunks)
    versions: dict[str, dict[str, bytes]] = {}
    happenings: dict[str, Callable[[], object]] = {}
    for what, happen in HAPPENINGS.items():
        path = f"1/events/{what}.jsonl"
        old, new = (json_lines(*(f"{what} {version}{i:04}" for i in range(99))).encode() for version in ("old", "new"))
        happenings[path] = partial(happen, place.land(path, old), new)
        versions[path] = {hashlib.sha256(old).hexdigest(): old}
    place.land("1/events/at rest.jsonl", json_lines("at rest"))
    place.land("1/events/z.jsonl", json_lines("z"))
    landing = RestlessLanding(str(place.landing), nth, moment, happenings)

    first, second = place.extract(landing), place.extract()

    assert set(landing.happened) == set(happenings)
    assert {"at rest", "z"} <= set(event_ids(place.events()))
    assert {warning.split(" is not loaded")[0] for warning in first.warnings} == {
        f"1/events/{what}.jsonl" for what in left_for_the_next_run
    }
    assert second.warnings == []
    for path, known in versions.items():
        if (place.landing / path).exists():
            content = (place.landing / path).read_bytes()
            last = hashlib.sha256(content).hexdigest()
            known[last] = content
            assert last in [loaded["sha256"] for loaded in place.loaded(path)]
        for loaded in place.loaded(path):
            raw = [row["raw_record"].encode() for row in place.events() if row["file_id"] == loaded["file_id"]]
            assert raw == known[loaded["sha256"]].splitlines()
    assert place.extract().files == 0


def test_a_parquet_file_that_changes_between_its_checksum_and_its_records_is_left_for_the_next_run(
    place: Place,
) -> None:
    file = place.land_parquet("1/events/b.parquet", "select 'old' as event_id from range(5000)")
    new = place.land_parquet("new.parquet", "select 'new' as event_id from range(5000)").read_bytes()
    landing = RestlessLanding(
        str(place.landing), 1, "after it is closed", {"1/events/b.parquet": lambda: file.write_bytes(new)}
    )

    first, second = place.extract(landing), place.extract()

    assert (first.files, second.files) == (1, 1)
    assert len(first.warnings) == 1 and "changed while it was read" in first.warnings[0]
    assert set(event_ids(place.events())) == {"new"}


@pytest.mark.parametrize("moment", ["before it is opened", "after it is closed"])
def test_a_file_that_vanishes_before_it_is_read_is_named_and_stops_nothing_else(place: Place, moment: str) -> None:
    paths = [f"1/events/b{ending}" for ending in (".csv", ".jsonl", ".jsonl.gz", ".parquet")]
    happenings: dict[str, Callable[[], object]] = {path: place.land(path, json_lines(path)).unlink for path in paths}
    place.land("1/events/a.jsonl", json_lines("a"))
    place.land("1/events/c.jsonl", json_lines("c"))

    first, second = place.extract(RestlessLanding(str(place.landing), 1, moment, happenings)), place.extract()

    assert [warning.split(" is not loaded")[0] for warning in first.warnings] == paths
    assert event_ids(place.events()) == ["a", "c"]
    assert (second.files, second.warnings) == (0, [])


# Runs that are killed


def die_at_random_moments(landing: str, folder: Path, kills: int) -> int:
    """Kill runs at moments spread over all of their length. Returns the number of places they worked in.

    A run that is done before its moment comes leaves nothing to do: the next one begins in a new place. All this is in
    a process that has no threads, so that a fork of it is a process like any other.
    """
    pytest.MonkeyPatch().setattr(extract_module, "read_lines", partial(read_lines, chunk_bytes=2 << 20))
    random = Random(1)
    killed = places = 0
    length = 0.0
    while killed < kills:
        started = time.monotonic()
        outcome = in_child(
            partial(extract_into, landing, folder / str(places)),
            kill_after=length * (killed + random.random()) / kills if length else None,
        )
        if outcome == "killed":
            killed += 1
        else:
            assert outcome == "finished"
            length = time.monotonic() - started
            places += 1
    return places + 1


def die_at_every_change(landing: str, folder: Path) -> int:
    """Kill a first run before each of the changes that Python makes to the disk. Returns the number of changes."""
    changes = 0
    while in_child(partial(extract_into, landing, folder / str(changes), die_at=changes)) == "killed":
        changes += 1
    return changes


def extract_into(landing: str, target: Path, die_at: int | None = None) -> None:
    changes = 0

    def die(event: str, args: tuple[Any, ...]) -> None:
        nonlocal changes
        writes = event == "open" and args[1] is not None and args[1][0] in "wax"
        if writes or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir"):
            if changes == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            changes += 1

    if die_at is not None:
        sys.addaudithook(die)
    extract(Landing(landing), RawZone(target / "raw"), target / "state" / "checksums.json")


def in_child(work: Callable[[], object], kill_after: float | None = None) -> str:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed"
    return "finished" if os.waitstatus_to_exitcode(status) == 0 else "failed"


@pytest.fixture
def clean_process() -> Iterator[ProcessPoolExecutor]:
    """A process without threads or open connections."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.slow
def test_a_run_killed_at_any_moment_loses_nothing_and_doubles_nothing(
    place: Place, tmp_path: Path, clean_process: ProcessPoolExecutor
) -> None:
    name = "n" * 50
    lines = [f'{{"event_id":"{i}","event_type":"added","contact_name":"{name}"}}\n' for i in range(120_000)]
    rows = [f'{i},added,"{name}"\n' for i in range(120_000, 150_000)]
    place.land("1/events/a.jsonl", "".join(lines[:100_000]))
    place.land("1/events/b.jsonl.gz", gzip.compress("".join(lines[100_000:]).encode(), 1))
    place.land("2/events/c.csv", "event_id,event_type,contact_name\n" + "".join(rows))
    place.land_parquet("2/events/d.parquet", "select range::varchar as event_id from range(150000, 250000)")
    for i in range(30):
        place.land(f"2/events/small-{i}.jsonl", json_lines(250_000 + i))
    place.land("1/users/u.csv", "user_id,user_name\n1,A\n")

    places = clean_process.submit(die_at_random_moments, str(place.landing), tmp_path, 15).result()

    for i in range(places):
        target = Place(tmp_path / str(i))
        last = target.extract(Landing(str(place.landing)))
        assert last.warnings == []
        assert {path.name for path in target.raw.iterdir()} == {"batch_id=0", "batch_id=1"}
        assert len(target.read("files")) == 36
        ids = "select event_id::bigint as id from read_parquet($1::varchar[])"
        summary = f"select count(*), count(distinct id), min(id), max(id) from ({ids})"
        (found,) = rows_of(summary, [target.parquet("events")])
        assert list(found.values()) == [250_030, 250_030, 0, 250_029]


@pytest.mark.slow
def test_a_first_run_killed_before_any_change_on_the_disk_is_made_good_by_the_next(
    tmp_path: Path, clean_process: ProcessPoolExecutor
) -> None:
    place = Place(tmp_path)
    place.land("1/events/a.jsonl", json_lines(1, 2))
    place.land("1/users/u.csv", "user_id,user_name\n1,A\n")

    changes = clean_process.submit(die_at_every_change, str(place.landing), tmp_path).result()

    assert changes > 15
    for i in range(changes):
        target = Place(tmp_path / str(i))
        target.extract(Landing(str(place.landing)))
        assert RawZone(target.raw).zone_id
        assert event_ids(target.events()) == ["1", "2"]
        assert [row["user_name"] for row in target.read("users")] == ["A"]


# Decoding, against Python


def decoded_lines(connection: duckdb.DuckDBPyConnection, data: bytes) -> dict[int, Row]:
    """The records of JSON lines by line number."""
    rows = {}
    for chunk in read_lines(io.BytesIO(data), compressed=False):
        cursor = connection.execute(
            decoding.decode_json_lines(EVENTS), [json.dumps([{"first_line": chunk.first_line}]), chunk.text, None]
        )
        names = [name for name, *_ in cursor.description or ()]
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            rows[row["source_line"]] = row
    return rows


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def refuse_constant(name: str) -> object:
    raise ValueError(name)


def parsed(line: str) -> object:
    """What Python reads from JSON, strictly; None where it is none or holds half of a surrogate pair."""
    try:
        value = json.loads(line, parse_constant=refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return None
    return value


def spelled(line: str) -> object:
    """A JSON value, its numbers as they are spelled."""
    return json.loads(line, parse_int=str, parse_float=str)


text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufdd0\ufdd1\ufdd2")
    | st.sampled_from('\0"\\{},:[]\n\r\u2028')
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
    | st.sampled_from(["NaN, ]", ",}", "[Infinity", "null", "007", "1e3", "", "\\u0000", '"'])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=5
)
objects = st.dictionaries(st.sampled_from(EVENTS.fields) | text, values, max_size=6)


@st.composite
def json_texts(draw: st.DrawFn, value: st.SearchStrategy[object]) -> str:
    space = draw(st.sampled_from(("", " ", "\t", " \r ")))
    separators = draw(st.sampled_from(((",", ":"), (", ", ": "), (" ,\t", "\r: "))))
    return space + json.dumps(draw(value), ensure_ascii=draw(st.booleans()), separators=separators) + space


FRAGMENTS = (
    *("NaN", "nan", "Infinity", "-Infinity", "-inf", "Inf", "true", "True", "nul", "null", "None", "undefined"),
    *(
        "{",
        "}",
        "[",
        "]",
        ",",
        ",,",
        ",}",
        ",]",
        ":",
        '"',
        '""',
        "'",
        "\\",
        "\\u",
        "\\u0000",
        "\\ud83e\\udd86",
        "\\ud83e",
        "\\x",
    ),
    *(
        "0",
        "00",
        "-",
        "+",
        "1",
        ".",
        "e",
        "E+",
        "1e999",
        "-0",
        "0x1",
        "/*a*/",
        "//",
        "#",
        " ",
        "\t",
        "\r",
        "\x0b",
        "\x0c",
    ),
    *(
        "\x00",
        "\x1f",
        "\x7f",
        "\ufeff",
        "\u00a0",
        "\u2028",
        "é",
        "🦆",
        "{}",
        "[]",
        '"a":1',
        '"a":',
        ',"event_id":NaN',
        ":[1,]",
    ),
)


@st.composite
def damaged_json(draw: st.DrawFn) -> str:
    line = draw(json_texts(objects | values))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.sampled_from(FRAGMENTS)) + line[at + draw(st.integers(0, 2)) :]
    return line


# What is JSON but for a number that is none, or a comma too many.
loose_values = st.recursive(
    st.sampled_from(["NaN", "-Infinity", "inf", '"NaN"', '"a\\", ]"', "1.5", "-1e5", "null", "true"]),
    lambda inner: st.builds(
        "{}{}{}{}".format,
        st.just("["),
        st.lists(inner, max_size=2).map(" , ".join),
        st.sampled_from(["", "", ", "]),
        st.just("]"),
    ),
    max_leaves=3,
)
loose_objects = st.builds(
    "{}{}{}".format,
    st.just("{"),
    st.lists(loose_values.map(lambda value: f'"event_id": {value}'), max_size=2).map(", ".join),
    st.sampled_from(["}", "}", " }", ",}", ", }", "", "} }"]),
)
garbage = (
    damaged_json()
    | loose_objects
    | st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join)
    | text.map(lambda line: line.replace("\n", ""))
)


@settings(max_examples=70, deadline=None)
@given(st.lists(json_texts(objects), min_size=1, max_size=8))
def test_fields_of_json_objects_are_what_python_reads(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[str]
) -> None:
    rows = decoded_lines(connection, "\n".join(lines).encode())

    assert list(rows) == list(range(1, len(lines) + 1))
    for line, row in zip(lines, rows.values(), strict=True):
        expected = json.loads(line)
        assert (row["parse_error"], row["raw_bytes"]) == (None, None)
        for field in EVENTS.fields:
            value, found = expected.get(field), row[field]
            if value is None or isinstance(value, str):
                assert found == value
            elif isinstance(value, list | dict):
                assert spelled(found) == spelled(json.dumps(value))
            else:
                assert found == json.dumps(value)


@settings(max_examples=150, deadline=None)
@given(st.lists(garbage, min_size=1, max_size=8))
@example(['{"event_id": NaN}', '{"event_id": "NaN"}', '{"a": [-Infinity]}', '{"a": "\\\\", "b": nan}'])
@example(['{"event_id": [1, ]}', '{"event_id": "[1, ]"}', '{"event_id": "a",}', '{"a": "\\",}"}'])
def test_a_line_is_a_record_without_error_exactly_when_it_is_a_json_object(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[str]
) -> None:
    rows = decoded_lines(connection, ("\n".join(lines) + "\n").encode())

    # A byte order mark that starts the file is not part of its first line.
    for number, line in enumerate([lines[0].removeprefix("\ufeff"), *lines[1:]], 1):
        if re.search(r"[^ \t\r\f]", line) is None:
            assert number not in rows
            continue
        row = rows[number]
        assert row["raw_record"] == line.removesuffix("\r")
        assert (row["parse_error"] is None) == isinstance(parsed(line), dict)
        assert row["parse_error"] is None or all(row[field] is None for field in EVENTS.fields)


def csv_line(row: Sequence[str], quoting: Any) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=quoting).writerow(row)
    return written.getvalue()


@settings(max_examples=12, deadline=None)
@given(
    st.permutations([*EVENTS.fields, "extra", "other"]).flatmap(
        lambda names: st.integers(1, 11).map(lambda n: names[:n])
    ),
    st.lists(st.lists(text | st.sampled_from(["", "a,b", '"', "a\r\nb"]), min_size=1, max_size=11), max_size=20),
    st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
)
def test_fields_of_csv_are_what_python_reads(names: list[str], rows: list[list[str]], quoting: Any) -> None:
    rows = [row if i % 2 else (row * len(names))[: len(names)] for i, row in enumerate(rows)]
    written = [csv_line(row, quoting) for row in [names, *rows]]
    records = [row for row, line in zip(rows, written[1:], strict=True) if re.search(r"[^ \t\n\f\r]", line)]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.land("1/events/a.csv", "".join(written))

        place.extract()

        found = place.events()
    assert len(found) == len(records)
    for row, values in zip(found, records, strict=True):
        if len(values) == len(names):
            assert row["parse_error"] is None
            assert {field: row[field] for field in EVENTS.fields} == dict.fromkeys(EVENTS.fields) | {
                name: value for name, value in zip(names, values, strict=True) if name in EVENTS.fields
            }
        else:
            assert row["parse_error"] == f"expected {len(names)} fields, found {len(values)}"
            assert all(row[field] is None for field in EVENTS.fields)
