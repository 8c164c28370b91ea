"""Follows a file that is replaced while it is read."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from page.publication import NotPublished, Publication, Reader, TooSlow


def publish(path: Path, number: int) -> None:
    """Replace the file by one in which every row of a table has this number."""
    building = path.with_name("building") / path.name
    building.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(building)) as connection:
        connection.execute("create schema reports")
        connection.execute(f"create table reports.numbers as select {number} as number from range(1000)")
        connection.execute("create view reports.distinct_numbers as select distinct number from reports.numbers")
    building.chmod(0o400)
    os.replace(building, path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "contact_reports.duckdb"


@pytest.fixture
def publication(path: Path, tmp_path: Path) -> Iterator[Publication]:
    exports = tmp_path / "exports"
    exports.mkdir()
    with Publication(path, exports) as publication:
        yield publication


def numbers(publication: Publication) -> list[int]:
    with publication.reading(10) as reader:
        return [row["number"] for row in reader.rows("from reports.distinct_numbers")]


def wait_for(publication: Publication, number: int) -> None:
    until = time.monotonic() + 5
    while numbers(publication) != [number]:
        assert time.monotonic() < until, "the new publication is not seen"
        time.sleep(0.05)


def test_each_request_reads_one_publication_while_it_is_replaced(path: Path, publication: Publication) -> None:
    publish(path, 0)
    is_over = threading.Event()

    def look() -> set[int]:
        seen = set()
        while not is_over.is_set():
            with publication.reading(10) as reader:
                first = reader.rows("from reports.distinct_numbers")
                assert len(first) == 1
                assert reader.rows("from reports.distinct_numbers") == first
                seen.add(first[0]["number"])
        return seen

    with ThreadPoolExecutor(8) as pool:
        looking = [pool.submit(look) for _ in range(8)]
        for number in range(1, 5):
            publish(path, number)
            wait_for(publication, number)
        is_over.set()
        assert all(one.result() for one in looking)


def test_what_is_kept_for_a_publication_is_read_again_for_the_next(path: Path, publication: Publication) -> None:
    def kept() -> int:
        with publication.reading(10) as reader:
            rows = reader.once_per_publication("number", lambda reader: reader.rows("from reports.distinct_numbers"))
            return int(rows[0]["number"])

    publish(path, 1)
    assert kept() == 1
    publish(path, 2)
    wait_for(publication, 2)
    assert kept() == 2


def test_the_last_texts_are_kept_as_far_as_they_are_small(path: Path, publication: Publication) -> None:
    publish(path, 1)
    made: list[str] = []

    def text(reader: Reader, name: str, size: int) -> None:
        def make() -> str:
            made.append(name)
            return name * size

        assert reader.recent(name, make) == (name * size).encode()

    with publication.reading(10) as reader:
        for name in ("a", "b", "a"):
            text(reader, name, 1_000_000)
        for _ in range(2):
            text(reader, "c", 2_000_000)
        for name in "defghijklmnopqr":
            text(reader, name, 1_000_000)
        text(reader, "a", 1_000_000)
        text(reader, "b", 1_000_000)
    assert made == [*"ab", *"cc", *"defghijklmnopqr", "b"]


def test_many_threads_keep_texts_at_once(path: Path, publication: Publication) -> None:
    publish(path, 1)

    def keep(first: int) -> None:
        with publication.reading(30) as reader:
            for number in range(first, first + 300):
                assert reader.recent(str(number), lambda number=number: str(number) * 100_000)  # type: ignore[misc]
                reader.once_per_publication(str(number), lambda reader: number)  # noqa: B023

    with ThreadPoolExecutor(8) as pool:
        for one in [pool.submit(keep, 100 * number) for number in range(8)]:
            one.result()


def test_a_file_that_cannot_be_read_leaves_the_one_before_and_is_logged_once(
    path: Path, publication: Publication, caplog: pytest.LogCaptureFixture
) -> None:
    publish(path, 1)
    assert numbers(publication) == [1]
    broken = path.with_name("broken")
    broken.write_bytes(b"no database" * 1000)
    os.replace(broken, path)
    time.sleep(2.5)
    assert numbers(publication) == [1]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    publish(path, 2)
    wait_for(publication, 2)


def test_what_several_threads_read_together_is_what_each_reads_alone(path: Path, publication: Publication) -> None:
    publish(path, 7)
    with publication.reading(10) as reader:
        reader.together({str(number): lambda reader, n=number: reader.rows(f"select {n} as n") for number in range(5)})  # type: ignore[misc]
        for number in range(5):
            assert reader.once(str(number), lambda reader: reader.rows("select 0 as n")) == [{"n": number}]
        with pytest.raises(duckdb.CatalogException):
            reader.together(
                {"good": lambda reader: reader.rows("select 1"), "bad": lambda reader: reader.rows("from bad")}
            )


def test_a_missing_file_is_not_published_until_it_is_there(path: Path, publication: Publication) -> None:
    with pytest.raises(NotPublished), publication.reading(1):
        pass
    publish(path, 1)
    assert numbers(publication) == [1]


def test_a_file_that_went_away_is_read_as_before(path: Path, publication: Publication) -> None:
    publish(path, 1)
    assert numbers(publication) == [1]
    path.unlink()
    time.sleep(1.5)
    assert numbers(publication) == [1]


def test_a_request_has_an_end(path: Path, publication: Publication) -> None:
    publish(path, 1)
    started = time.monotonic()
    with publication.reading(0.2) as reader:
        with pytest.raises(TooSlow):
            reader.rows("select count(*) from range(100000000) as a, range(1000000) as b")
        with pytest.raises(TooSlow):
            reader.rows("select 1")
    assert time.monotonic() - started < 5
    assert numbers(publication) == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "create table reports.more (number integer)",
        "from read_text('/etc/hostname')",
        "copy (select 1) to '{elsewhere}'",
        "attach '{elsewhere}'",
        "set memory_limit = '10GB'",
        "install httpfs",
    ],
)
def test_a_statement_reaches_nothing_but_the_publication(
    path: Path, publication: Publication, tmp_path: Path, statement: str
) -> None:
    publish(path, 1)
    with publication.reading(5) as reader, pytest.raises(duckdb.Error):
        reader.rows(statement.format(elsewhere=tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()
