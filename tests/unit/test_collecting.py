"""A run collects what the receiver kept: nothing is lost or delivered twice, whatever either of them is doing."""

import asyncio
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from orchestration.lib.landing.listing import Landing
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.receiver.segments import Segment
from tests.unit.receiving import BODY, SEGMENTS, Place
from tests.webhooks import KEYS, bodies_in, send, signed


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.inbox.close()


def test_folders_in_a_setgid_landing_folder_are_its_groups_too_and_the_bodies_stay_the_owners(place: Place) -> None:
    assert place.post(BODY) == 200
    if os.geteuid() == 0:
        os.chown(place.landing, -1, 12345)
    place.landing.chmod(0o2770)
    assert place.collect() == []
    landing = place.landing.stat()
    for folder in ("acme", "acme/webhooks"):
        made = (place.landing / folder).stat()
        assert (stat.S_IMODE(made.st_mode), made.st_gid) == (0o2770, landing.st_gid)
    (file,) = place.landing.glob("acme/webhooks/*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # What the receiver itself keeps is nobody else's.
    assert stat.S_IMODE((place.folder / "acme").stat().st_mode) == 0o700


@pytest.mark.parametrize("torn", [b"", b"{", b'{"half": "', b"x" * 200_000], ids=len)
@pytest.mark.parametrize("lines", [0, 1, 3000], ids="{} lines".format)
def test_a_torn_last_line_is_cut_and_whole_lines_are_delivered(place: Place, torn: bytes, lines: int) -> None:
    workspace = place.folder / "acme"
    workspace.mkdir(parents=True)
    (workspace / "2026-01-01T00-00-00.000000Z-00000000.jsonl.part").write_bytes((BODY + b"\n") * lines + torn)
    assert place.collect() == []
    assert place.landed() == [BODY] * lines
    assert list(workspace.iterdir()) == []


def test_a_run_takes_the_segment_of_a_living_receiver_which_begins_another(place: Place) -> None:
    for round in range(3):
        assert place.post(b'{"n": %d}' % round) == 200
        assert place.post(b'{"g": %d}' % round, workspace="globex") == 200
        assert place.collect() == []
        assert len(place.landed()) == 2 * (round + 1)
    assert [path.name for path in sorted(place.landing.iterdir())] == ["acme", "globex"]


def test_a_receiver_does_not_wait_for_a_run_that_holds_its_segment(place: Place) -> None:
    assert place.post(BODY) == 200
    (path,) = place.folder.glob(SEGMENTS)
    held = Segment(path, os.O_RDWR)
    assert held.lock()
    assert place.post(b'{"second": 1}') == 200
    assert path.read_bytes() == BODY + b"\n"
    held.close()
    assert place.collect() == []
    assert sorted(place.landed()) == sorted([BODY, b'{"second": 1}'])


def test_a_run_does_not_wait_for_a_receiver_that_hangs_and_loads_everything_else(place: Place) -> None:
    place.lock_seconds = {"lock_seconds": 0.2, "later_lock_seconds": 0.1}
    for workspace in KEYS:
        assert place.post(BODY, workspace=workspace) == 200
    acme, globex = sorted(place.folder.glob(SEGMENTS))
    hangs = Segment(acme, os.O_WRONLY | os.O_APPEND)
    assert hangs.lock()
    # A receiver that was started beside the one that hangs.
    assert place.post(b'{"second": 1}') == 200
    began = time.monotonic()
    for _ in range(2):
        (warning,) = place.collect()
        assert str(acme.parent) in warning
        assert "Restart the receiver" in warning
    assert time.monotonic() - began < 5
    assert bodies_in(place.landing, "*/webhooks/*.jsonl") == [b'{"second": 1}', BODY]
    hangs.append(b'{"late": 1}\n')  # It goes on, answers 200, and lets go.
    hangs.close()
    assert place.collect() == []
    assert sorted(place.landed()) == sorted([BODY, b'{"late": 1}', b'{"second": 1}', BODY])


def test_a_run_gets_the_segment_of_a_receiver_that_is_never_idle(place: Place) -> None:
    place.lock_seconds = {"lock_seconds": 2.0}
    over = threading.Event()
    answered: list[bytes] = []

    async def sender(number: int) -> None:
        while not over.is_set():
            body = b'{"n": "%d-%d"}' % (number, len(answered))
            assert await send(place.app, "/webhooks/acme", signed(body), [body]) == 200
            answered.append(body)

    async def send_without_a_pause() -> None:
        await asyncio.gather(*(sender(number) for number in range(20)))

    with ThreadPoolExecutor(1) as executor:
        busy = executor.submit(asyncio.run, send_without_a_pause())
        try:
            while len(answered) < 100:
                time.sleep(0.01)
            for _ in range(20):
                assert place.collect() == []
        finally:
            over.set()
        busy.result()
    assert place.collect() == []
    assert sorted(place.landed()) == sorted(answered)


def test_what_cannot_be_delivered_waits_and_is_a_warning(place: Place) -> None:
    assert place.post(BODY) == 200
    assert place.post(BODY, workspace="globex") == 200
    (place.landing / "acme").mkdir()
    (place.landing / "acme" / "webhooks").touch()
    for _ in range(2):
        (warning,) = place.collect()
        assert "acme" in warning
        assert str(place.landing) in warning
    assert len(bodies_in(place.landing, "globex/webhooks/*.jsonl")) == 1
    (place.landing / "acme" / "webhooks").unlink()
    assert place.collect() == []
    assert place.landed() == [BODY, BODY]


def test_a_landing_folder_that_is_configured_and_missing_is_not_made(place: Place) -> None:
    assert place.post(BODY) == 200
    place.landing.rmdir()
    (warning,) = place.collect()
    assert "No such file" in warning
    assert not place.landing.exists()
    assert place.kept() == [BODY]


def test_where_there_never_was_a_receiver_nothing_is_collected_or_made(place: Place) -> None:
    assert place.collect() == []
    assert not place.folder.exists()


def test_a_store_of_objects_gets_the_same_files(place: Place) -> None:
    assert place.post(BODY) == 200
    landing = Landing("memory://bucket/landing")
    assert collect(place.folder, landing) == []
    assert not list(place.folder.glob(SEGMENTS))
    (path,) = landing.files.glob("/bucket/landing/acme/webhooks/*.jsonl")
    assert landing.files.cat_file(path) == BODY + b"\n"


def test_a_store_of_objects_that_is_away_is_a_warning_and_nothing_is_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(Exception):
        pass

    def refuse(source: str, target: str) -> None:
        raise Away("no route")

    assert place.post(BODY) == 200
    landing = Landing("memory://bucket/landing")
    monkeypatch.setattr(landing.files, "put_file", refuse)
    (warning,) = collect(place.folder, landing)
    assert "no route" in warning
    assert place.kept() == [BODY]


class Killed(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


def steps_until_done(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Do the work again, dying one step on the disk later each time, until it is done. Yields after each death."""
    names = ("open", "fsync", "ftruncate", "rename", "replace", "unlink", "mkdir")
    copy = shutil.copyfileobj
    originals = {name: getattr(os, name) for name in names}
    step = 0
    while True:
        left = step

        def dying(name: str) -> Callable[..., object]:
            def call(*arguments: object, **named: object) -> object:
                nonlocal left
                if left == 0:
                    raise Killed(name)
                left -= 1
                return originals[name](*arguments, **named)

            return call

        def copy_half_and_die(source: BinaryIO, target: BinaryIO) -> None:
            nonlocal left
            if left == 0:
                target.write(source.read(12))
                raise Killed("copy")
            left -= 1
            copy(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copyfileobj", copy_half_and_die)
            for name in names:
                patch.setattr(os, name, dying(name))
            try:
                work()
                return
            except Killed:
                pass
        yield step
        step += 1


def test_collecting_that_dies_before_any_step_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = 0
    place = Place(tmp_path / "first")

    def work() -> None:
        place.collect()

    def prepare() -> None:
        nonlocal place
        place.inbox.close()
        place = Place(tmp_path / f"after-{deaths}")
        for number in range(3):
            assert place.post(b'{"n": %d}' % number) == 200
        (segment,) = place.folder.glob(SEGMENTS)
        with segment.open("ab") as file:
            file.write(b'{"torn')

    prepare()
    for step in steps_until_done(work, monkeypatch):
        assert step == deaths
        # A run that only looks at the landing folder sees whole files or none.
        assert bodies_in(place.landing, "acme/webhooks/[!.]*") in ([], [b'{"n": %d}' % n for n in range(3)])
        assert place.post(b'{"n": 3}') == 200
        assert place.collect() == []
        assert place.landed() == [b'{"n": %d}' % number for number in range(4)]
        assert not list(place.landing.glob("acme/webhooks/.*"))
        deaths += 1
        prepare()
    place.inbox.close()
    assert deaths > 8
