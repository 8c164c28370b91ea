"""A file that cannot be read is named on every run until it can, and stops nothing else."""

import gzip
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestration.lib.problems import Problem
from tests.integration.extraction.place import Place, event_ids, json_lines

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
        said = {warning.split(" is not loaded: it ")[0]: warning.rpartition("; ")[2] for warning in result.warnings}
        # Two of them are whole, and something else than their names say.
        assert said.pop("1/events/a plain.jsonl.gz") == "take .gz off its name"
        assert said.pop("1/events/a cut.csv.gz").startswith("save it as CSV")
        assert set(said.values()) == {"replace it"}
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


NOBODY = 65534


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
