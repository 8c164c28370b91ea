"""Every run loads what is new or changed since the last one, once, and nothing else."""

import os
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from orchestration.lib.extraction import checksums as checksums_module
from orchestration.lib.extraction import extract as extract_module
from orchestration.lib.extraction.checksums import checksum
from orchestration.lib.landing.listing import Landing, Listing
from tests.integration.extraction.place import WORKSPACES, Place, event_ids, json_lines


def test_a_second_run_loads_nothing(place: Place) -> None:
    place.land("1/events/a.jsonl", json_lines(1, 2))
    place.land("1/events/b.csv", "event_id\n3\n")
    place.land_parquet("2/events/c.parquet", "select '4' as event_id")
    place.land("1/users/u.csv", "user_id,user_name\n1,Ada\n")

    first, second = place.extract(), place.extract()

    assert (first.batch_id, first.files, first.records, first.warnings) == (1, 5, 7, [])
    assert (second.batch_id, second.files, second.records, second.warnings) == (None, 0, 0, [])


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


def test_a_change_within_one_tick_of_the_clock_is_noticed_however_long_the_files_take(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()

    def take_long(stream: BinaryIO) -> str:
        nonlocal now
        now += 60
        return checksum(stream)

    monkeypatch.setattr(checksums_module, "checksum", take_long)
    monkeypatch.setattr(extract_module, "time", SimpleNamespace(time=lambda: now))
    landing = SlowClockLanding(str(place.landing))
    for name in "AB":
        place.land("1/users/u.csv", f"user_id,user_name\n1,{name}\n")
        place.extract(landing)

    assert [row["user_name"] for row in place.read("users")] == ["A", "B"]


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
