"""Benchmark of the report page: latency, fifty clients at once, and memory."""

import http.client
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import psutil

from benchmarks.measure import PYTHON, ROOT

_PEOPLE = 50
_PUBLICATIONS = 100


@dataclass(frozen=True)
class PageFigures:
    """Milliseconds are medians; memory is the largest resident set that was seen, in megabytes."""

    first_byte: float  # the first request for thirty days
    first_byte_again: float  # a later request for the same thirty days
    first_byte_filtered: float  # with every filter set, other days each time
    people_same: float  # fifty at once, the same page
    people_other: float  # fifty at once, each with other days
    memory: float  # through a hundred publications


def measure_page(published: Path, repeats: int) -> PageFigures:
    """Ask the report page of a published file. Raises RuntimeError where an answer is not 200."""
    with _published_copies(published) as (path, copies), _served(path.parents[1]) as (port, process):
        queries = _Queries(path)
        _ask(port, queries.thirty_days(0))
        fresh = [_ask(port, queries.thirty_days(number)) for number in range(1, repeats + 1)]
        again = [_ask(port, queries.thirty_days(1)) for _ in range(repeats)]
        filtered = [_ask(port, queries.filtered(number)) for number in range(repeats)]
        same = _at_once(port, [queries.thirty_days(1)] * _PEOPLE)
        other = _at_once(port, [queries.thirty_days(repeats + 1 + number) for number in range(_PEOPLE)])
        memory = [process.memory_info().rss]
        for number in range(_PUBLICATIONS):
            _publish(path, copies[1 - number % 2])
            _ask(port, queries.thirty_days(number))
            memory.append(process.memory_info().rss)
            # The page looks for a new publication every second.
            time.sleep(1.2)
        milliseconds = [1000 * statistics.median(times) for times in (fresh, again, filtered, same, other)]
        return PageFigures(*[round(one, 1) for one in [*milliseconds, max(memory) / 1e6]])


class _Queries:
    """Addresses of the page of the largest workspace."""

    def __init__(self, published: Path) -> None:
        with duckdb.connect(str(published), read_only=True) as connection:
            row = connection.execute(
                """
                select workspace_id, max(report_date), mode(user_id), mode(channel_id), mode(source)
                from reports.contacts_connected_log group by workspace_id order by count(*) desc limit 1"""
            ).fetchone()
        assert row is not None
        self._workspace: str = row[0]
        self._last: date = row[1]
        self._user, self._channel, self._source = row[2:]

    def thirty_days(self, ago: int) -> str:
        """Thirty days that end so many days before the newest."""
        return "/?" + urlencode(self._days(ago))

    def filtered(self, ago: int) -> str:
        """The same with every filter set."""
        filters = [
            ("channel", self._channel),
            ("user", self._user),
            ("source", self._source),
            ("contact_name", "a"),
            ("compared_with", "year"),
        ]
        return "/?" + urlencode([*self._days(ago), *filters])

    def _days(self, ago: int) -> list[tuple[str, str]]:
        last = self._last - timedelta(days=ago)
        return [
            ("workspace", self._workspace),
            ("from", (last - timedelta(days=29)).isoformat()),
            ("to", last.isoformat()),
        ]


@contextmanager
def _published_copies(published: Path) -> Iterator[tuple[Path, list[Path]]]:
    """A data folder with the published file, and two copies that take turns as the publication."""
    with tempfile.TemporaryDirectory(dir=published.parents[1]) as folder:
        copies = [shutil.copyfile(published, Path(folder) / f"{number}") for number in range(2)]
        path = Path(folder) / "published" / published.name
        path.parent.mkdir()
        _publish(path, copies[0])
        yield path, copies


def _publish(path: Path, copy: Path) -> None:
    link = path.with_name("new")
    os.link(copy, link)
    os.replace(link, path)


@contextmanager
def _served(data: Path) -> Iterator[tuple[int, psutil.Process]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [PYTHON, "-m", "orchestration", "page", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "CONTACT_REPORTS_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                _ask(port, "/health")
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError("the report page ended before it answered") from None
                time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _ask(port: int, address: str) -> float:
    """Seconds until the first byte of the response. The whole response is read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        started = time.perf_counter()
        connection.request("GET", address)
        response = connection.getresponse()
        seconds = time.perf_counter() - started
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{address}: {response.status} {content[:200]!r}")
        return seconds
    finally:
        connection.close()


def _at_once(port: int, addresses: Sequence[str]) -> list[float]:
    """Seconds until the last byte, for each of several simultaneous requests."""

    def ask(address: str) -> float:
        started = time.perf_counter()
        _ask(port, address)
        return time.perf_counter() - started

    with ThreadPoolExecutor(len(addresses)) as people:
        return list(people.map(ask, addresses))
