"""Follows the published file: each request reads one publication, whole, and the next one as soon as it is there.

A connection keeps the file that it opened, and so does every later connection of this process to the same path. So a
publication is attached to a connection of its own, and all requests on it are cursors of that one. A background thread
looks for a new file every second. The replaced publication is closed when its last reader has left.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from orchestration.lib.export.connection import open_to_export
from orchestration.lib.settings import DATABASE_NAME
from orchestration.lib.sql import sql_text

_log = logging.getLogger(__name__)

Row = dict[str, Any]
T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 1.0
# The pages of a replaced file take room on the disk as long as it is open.
_IDLE_SECONDS = 60.0
# Of the texts that are kept. A usual page has 100 to 300 KB.
_RECENT_BYTES = 16 << 20


class NotPublished(Exception):
    """There is no published file, or it cannot be read."""


class TooSlow(Exception):
    """A request took longer than it may."""


class Reader:
    """What one request reads: a cursor on one publication, and a deadline for the whole request."""

    def __init__(self, publication: "_Opened", cursor: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._publication, self._cursor = publication, cursor
        self._deadline = time.monotonic() + seconds
        self._partner: Reader | None = None
        self._read: dict[str, Any] = {}

    def rows(self, sql: str, parameters: Mapping[str, object] | Sequence[object] | None = None) -> list[Row]:
        """The rows of a query. Instants are in UTC. Raises TooSlow, and duckdb.Error where a report refuses a value."""
        with self.limited(self._cursor.interrupt):
            result = self._cursor.execute(sql, parameters)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def copy(self, sql: str, parameters: Mapping[str, object], path: Path, options: str) -> int:
        """Write the rows of a query into a file below the folder for exports. Returns their number."""
        with self.limited(self._cursor.interrupt):
            result = self._cursor.execute(f"copy ({sql}) to {sql_text(path)} ({options})", parameters)
            return int(result.fetchall()[0][0])

    def check(self) -> None:
        """Raise TooSlow if the time is over. For work that is no query, such as rendering."""
        if time.monotonic() >= self._deadline:
            raise TooSlow

    def stop(self) -> None:
        """End what is running, from another thread: it raises TooSlow, and so does all that follows."""
        self._deadline = 0.0
        if self._partner:
            self._partner.stop()
        with contextlib.suppress(duckdb.Error):  # The cursor is closed.
            self._cursor.interrupt()

    def once_per_publication(self, name: str, read: Callable[["Reader"], T]) -> T:
        """What `read` returns, read once for each publication. For what is bounded, such as lists of labels."""
        kept = self._publication.kept
        with self._publication.lock:
            if name in kept:
                found: T = kept[name]
                return found
        result = read(self)
        with self._publication.lock:
            kept[name] = result
        return result

    def once(self, name: str, read: Callable[["Reader"], T]) -> T:
        """What `read` returns, read once by this reader."""
        if name not in self._read:
            self._read[name] = read(self)
        result: T = self._read[name]
        return result

    def recent(self, name: str, make: Callable[[], str]) -> bytes:
        """A text that is made of the publication, such as a page, in UTF-8. The last few are kept."""
        recent = self._publication.recent
        with self._publication.lock:
            found = recent.pop(name, None)
        text = found or make().encode()
        if len(text) <= _RECENT_BYTES // 16:
            with self._publication.lock:
                recent[name] = text
                while sum(map(len, recent.values())) > _RECENT_BYTES:
                    del recent[next(iter(recent))]
        return text

    def together(self, reads: Mapping[str, Callable[["Reader"], object]]) -> None:
        """Read several things at the same time, for `once` to return. Each has its name as there."""
        names = [name for name in reads if name not in self._read]
        mine, others = names[::2], names[1::2]
        if not others:
            self._read_all(reads, mine)
            return
        # The other half is read by another thread, on a cursor of its own.
        with ThreadPoolExecutor(1) as other, self._publication.root.cursor() as cursor:
            cursor.execute(f"use {DATABASE_NAME}")
            self._partner = Reader(self._publication, cursor, self._deadline - time.monotonic())
            pending = other.submit(self._partner._read_all, reads, others)
            self._read_all(reads, mine)
            pending.result()
            self._read |= self._partner._read

    def _read_all(self, reads: Mapping[str, Callable[["Reader"], object]], names: Sequence[str]) -> None:
        for name in names:
            self.once(name, reads[name])

    @contextlib.contextmanager
    def limited(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Interrupt the queries of a connection when the time is over. They raise TooSlow."""
        self.check()
        timer = threading.Timer(self._deadline - time.monotonic(), interrupt)
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise TooSlow from None
        finally:
            timer.cancel()


@dataclass
class _Opened:
    """One publication that is open, and who reads it."""

    root: duckdb.DuckDBPyConnection
    identity: tuple[int, ...]
    readers: int = 0
    is_replaced: bool = False
    last_read: float = field(default_factory=time.monotonic)
    kept: dict[str, Any] = field(default_factory=dict)
    recent: dict[str, bytes] = field(default_factory=dict)  # the latest last
    lock: threading.Lock = field(default_factory=threading.Lock)  # of the two before


class Publication:
    """The published file at a path, whichever file that is by now."""

    def __init__(self, path: Path, exports: Path) -> None:
        """`exports` is the only folder that queries may write into."""
        self._path, self._exports = path, exports
        self._current: _Opened | None = None
        self._readers: set[Reader] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow the publication", daemon=True)

    def __enter__(self) -> "Publication":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        with self._lock:
            self._replace(None)
            # Nobody waits for these answers any more, and the process does not end before they do.
            for reader in self._readers:
                reader.stop()

    @contextlib.contextmanager
    def reading(self, seconds: float) -> Iterator[Reader]:
        """A reader of the newest publication, for at most so many seconds. Raises NotPublished."""
        opened = self._enter()
        try:
            with opened.root.cursor() as cursor:
                cursor.execute(f"use {DATABASE_NAME}")
                with self._stoppable(Reader(opened, cursor, seconds)) as reader:
                    yield reader
        finally:
            self._leave(opened)

    @contextlib.contextmanager
    def _stoppable(self, reader: Reader) -> Iterator[Reader]:
        with self._lock:
            self._readers.add(reader)
        try:
            if self._stopped.is_set():
                raise TooSlow
            yield reader
        finally:
            with self._lock:
                self._readers.remove(reader)

    def _enter(self) -> _Opened:
        with self._lock:
            if self._current is None:
                self._current = self._open()
            self._current.readers += 1
            return self._current

    def _leave(self, opened: _Opened) -> None:
        with self._lock:
            opened.readers -= 1
            opened.last_read = time.monotonic()
            if opened.is_replaced and not opened.readers:
                opened.root.close()

    def _replace(self, opened: _Opened | None) -> None:
        replaced, self._current = self._current, opened
        if replaced:
            replaced.is_replaced = True
            if not replaced.readers:
                replaced.root.close()

    def _open(self) -> _Opened:
        try:
            while True:
                before = self._identity()
                root = open_to_export(self._path, self._exports)
                if self._identity() == before:
                    return _Opened(root, before)
                # The file was replaced in between, and it is not known which one was opened.
                root.close()
        except (OSError, duckdb.Error) as error:
            raise NotPublished(f"{self._path} cannot be read: {error}") from error

    def _identity(self) -> tuple[int, ...]:
        status = self._path.stat()
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _follow(self) -> None:
        identity: tuple[int, ...] = ()
        unreadable: tuple[int, ...] | None = None
        while not self._stopped.wait(_SECONDS_BETWEEN_LOOKS):
            current = self._current
            if current is None:
                continue
            try:
                identity = self._identity()
                if identity == current.identity:
                    unreadable = None
                else:
                    opened = self._open()
                    with self._lock:
                        self._replace(opened)
                    continue
            except (OSError, NotPublished) as error:
                # The publication that is open is shown until there is one that can be read.
                if unreadable != identity:
                    unreadable = identity
                    _log.warning("Nothing can be shown: %s", error)
                continue
            with self._lock:
                if not current.readers and time.monotonic() - current.last_read > _IDLE_SECONDS:
                    self._replace(None)
