"""A run that is killed loses nothing and doubles nothing."""

import gzip
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orchestration.lib.extraction.extract import extract
from orchestration.lib.extraction.limits import LIMITS, Limits
from orchestration.lib.landing.listing import Landing
from orchestration.lib.raw_zone.zone import RawZone
from tests.integration.extraction.place import Place, event_ids, json_lines, rows_of


def die_at_random_moments(landing: str, folder: Path, kills: int) -> int:
    """Kill runs at moments spread over all of their length. Returns the number of places they worked in.

    A run that is done before its moment comes leaves nothing to do: the next one begins in a new place. All this is in
    a process that has no threads, so that a fork of it is a process like any other.
    """
    random = Random(1)
    killed = places = 0
    length = 0.0
    while killed < kills:
        started = time.monotonic()
        outcome = in_child(
            partial(extract_into, landing, folder / str(places), limits=Limits(chunk_bytes=2 << 20)),
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


def extract_into(landing: str, target: Path, die_at: int | None = None, limits: Limits = LIMITS) -> None:
    if die_at is not None:
        die_before_change(die_at)
    extract(Landing(landing), RawZone(target / "raw"), target / "state" / "checksums.json", limits=limits)


def die_before_change(number: int) -> None:
    """Have this process killed before the change that Python makes to the disk after so many others."""
    changes = 0

    def die(event: str, args: tuple[Any, ...]) -> None:
        nonlocal changes
        writes = event == "open" and args[1] is not None and args[1][0] in "wax"
        if writes or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir"):
            if changes == number:
                os.kill(os.getpid(), signal.SIGKILL)
            changes += 1

    sys.addaudithook(die)


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
        assert {path.name for path in target.raw.iterdir()} == {"batches-0-0", "batches-1-1"}
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
