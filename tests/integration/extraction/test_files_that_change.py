"""A file that changes while it is read is never loaded half old, half new."""

import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from orchestration.lib.landing.listing import Landing, LandingFile
from tests.integration.extraction.place import Place, event_ids, json_lines


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

    def open(self, file: LandingFile) -> BinaryIO:
        path = file.path
        self._opened[path] += 1
        if path not in self._happenings or self._opened[path] != self._nth:
            return super().open(file)

        def happen() -> None:
            self.happened.append(path)
            self._happenings[path]()

        if self._moment == "before it is opened":
            happen()
            return super().open(file)
        return Tampering(super().open(file), self._moment, happen)


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
    new = place.land_parquet("new.tmp", "select 'new' as event_id from range(5000)").read_bytes()
    landing = RestlessLanding(
        str(place.landing), 1, "after it is closed", {"1/events/b.parquet": lambda: file.write_bytes(new)}
    )

    first, second = place.extract(landing), place.extract()

    assert (first.files, second.files) == (1, 1)
    assert len(first.warnings) == 1 and "changed while it was read" in first.warnings[0]
    assert set(event_ids(place.events())) == {"new"}


@pytest.mark.parametrize("moment", ["before it is opened", "after it is closed"])
@pytest.mark.parametrize("chunks", ["whole", "tiny_chunks"])
def test_a_file_that_vanishes_before_it_is_read_is_named_and_stops_nothing_else(
    place: Place, request: pytest.FixtureRequest, chunks: str, moment: str
) -> None:
    if chunks == "tiny_chunks":
        request.getfixturevalue(chunks)
    paths = [f"1/events/b{ending}" for ending in (".csv", ".jsonl", ".jsonl.gz", ".parquet")]
    happenings: dict[str, Callable[[], object]] = {path: place.land(path, json_lines(path)).unlink for path in paths}
    place.land("1/events/a.jsonl", json_lines("a"))
    place.land("1/events/c.jsonl", json_lines("c"))

    first, second = place.extract(RestlessLanding(str(place.landing), 1, moment, happenings)), place.extract()

    assert [warning.split(" is not loaded")[0] for warning in first.warnings] == paths
    assert event_ids(place.events()) == ["a", "c"]
    assert (second.files, second.warnings) == (0, [])
