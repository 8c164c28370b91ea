"""The file a run works on: equal to the publication, and never one that somebody else can see."""

import mmap
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.working_copy import make_working_copy, set_aside

PIECE = 262144
sizes = st.sampled_from([0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 5 * PIECE + 7])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def on_a_device(path: Path) -> bool:
    """Whether the kernel can say who else has a file open; not so on tmpfs and in a container's own layers."""
    return os.major(path.stat().st_dev) != 0


@given(size=sizes, former_size=sizes, changed=st.lists(st.integers(0, 5 * PIECE), max_size=4), seed=st.integers())
@settings(max_examples=60, deadline=None)
def test_it_has_the_bytes_of_the_publication_whatever_was_published_before(
    folder: Path, size: int, former_size: int, changed: list[int], seed: int
) -> None:
    published, former, target = folder / "published", folder / "former", folder / "target"
    content = random.Random(seed).randbytes(size)
    before = bytearray(content[:former_size] + bytes(max(0, former_size - size)))
    for place in changed:
        before[place : place + 1] = b"!" * len(before[place : place + 1])
    published.write_bytes(content)
    former.write_bytes(before)
    identity = former.stat().st_ino
    make_working_copy(published, former, target)
    assert target.read_bytes() == published.read_bytes() == content
    assert not former.exists()
    assert (target.stat().st_ino == identity) or not on_a_device(folder)


def test_only_what_differs_is_written_where_the_former_file_can_be_used(tmp_path: Path) -> None:
    published, former, target = tmp_path / "published", tmp_path / "former", tmp_path / "target"
    content = random.Random(1).randbytes(300 * PIECE + 7)
    # More than one thread compares at a time.
    published.write_bytes(content)
    former.write_bytes(content[: 280 * PIECE] + b"!" + content[280 * PIECE + 1 :])
    before = written_bytes()
    make_working_copy(published, former, target)
    written = written_bytes() - before
    assert target.read_bytes() == content
    assert PIECE <= written < 3 * PIECE or not on_a_device(tmp_path)


def written_bytes() -> int:
    """What this process has handed to write calls so far."""
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counters["wchar"])


Look = Callable[[], object]
"""What a holder of a file sees in it now."""


@contextmanager
def opened(path: Path) -> Iterator[Look]:
    with path.open("rb") as file:
        yield lambda: os.pread(file.fileno(), 1 << 30, 0)


@contextmanager
def mapped(path: Path) -> Iterator[Look]:
    with path.open("rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with view:
        yield lambda: view[:]


@contextmanager
def named_twice(path: Path) -> Iterator[Look]:
    os.link(path, path.with_name("backup"))
    yield path.with_name("backup").read_bytes


@contextmanager
def queried_by_another_process(path: Path) -> Iterator[Look]:
    script = """
import sys, duckdb
# Less memory than the table needs, so that each query reads the file.
connection = duckdb.connect(sys.argv[1], read_only=True, config={"memory_limit": "5MB", "threads": 1})
while sys.stdin.readline():
    print(connection.sql("select min(i), sum(j) from t").fetchone(), flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        question, answer = process.stdin, process.stdout
        assert question is not None
        assert answer is not None

        def look() -> str:
            question.write("\n")
            question.flush()
            return answer.readline()

        assert look().startswith("(1,")
        yield look
        question.close()


@pytest.mark.parametrize("hold", [opened, mapped, named_twice, queried_by_another_process])
def test_a_publication_that_somebody_still_has_stays_as_it_was(
    tmp_path: Path, hold: Callable[[Path], AbstractContextManager[Look]]
) -> None:
    published, former, target = tmp_path / "published", tmp_path / "former", tmp_path / "target"
    for path, first in ((published, 1), (tmp_path / "next", 2)):
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"create table t as select i, hash(i) as j from range({first}, 2000000) as numbers (i)")
    with hold(published) as look:
        seen = look()
        set_aside(published, former)
        os.replace(tmp_path / "next", published)
        make_working_copy(published, former, target)
        assert look() == seen
    assert target.read_bytes() == published.read_bytes()
    assert not former.exists()


def test_a_run_that_was_killed_before_it_replaced_the_publication_does_not_have_the_next_one_write_into_it(
    tmp_path: Path,
) -> None:
    published, former, target = tmp_path / "published", tmp_path / "former", tmp_path / "target"
    published.write_bytes(b"published")
    set_aside(published, former)
    make_working_copy(published, former, target)
    target.write_bytes(b"worked on")
    assert published.read_bytes() == b"published"


def test_the_former_publication_is_written_into_though_nobody_may_write_into_a_publication(tmp_path: Path) -> None:
    published, former, target = tmp_path / "published", tmp_path / "former", tmp_path / "target"
    for path, content in ((published, b"published"), (former, b"the former")):
        path.write_bytes(content)
        path.chmod(0o400)
    make_working_copy(published, former, target)
    assert target.read_bytes() == b"published"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(published.stat().st_mode) == 0o400


def test_a_publication_whose_second_name_is_the_former_ones_stays_without_write_permission(tmp_path: Path) -> None:
    published, former, target = tmp_path / "published", tmp_path / "former", tmp_path / "target"
    published.write_bytes(b"published")
    published.chmod(0o400)
    set_aside(published, former)
    make_working_copy(published, former, target)
    assert stat.S_IMODE(published.stat().st_mode) == 0o400
    target.write_bytes(b"worked on")
    assert published.read_bytes() == b"published"


def test_a_link_in_the_place_of_the_former_publication_is_not_followed(tmp_path: Path) -> None:
    published, former, target = tmp_path / "published", tmp_path / "former", tmp_path / "target"
    published.write_bytes(b"published")
    (tmp_path / "of somebody else").write_bytes(b"his")
    former.symlink_to(tmp_path / "of somebody else")
    make_working_copy(published, former, target)
    assert (tmp_path / "of somebody else").read_bytes() == b"his"
    assert target.read_bytes() == b"published"
    assert not target.is_symlink()


def test_where_nothing_was_set_aside_it_is_copied(tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.write_bytes(b"published")
    make_working_copy(published, tmp_path / "former", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"published"
