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
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from orchestration.lib.settings import DATABASE_NAME
from orchestration.lib.sql import sql_text
from orchestration.lib.warehouse.published import attach_published

_log = logging.getLogger(__name__)

Row = dict[str, Any]
T = TypeVar("T")

_THREADS = 2
_MEMORY = "256MB"
# How much freed memory DuckDB keeps. By its defaults the process had up to 497 MB for one file of three million rows,
# up to 706 MB for four at once, and kept 380 MB. With this it has 459 and 556 MB, and keeps 145 MB.
_KEPT = "16MB"
_SECONDS_BETWEEN_LOOKS = 1.0
_EXCEL = files("duckdb_extension_excel") / "extensions" / f"v{duckdb.__version__}" / "excel.duckdb_extension"
# The pages of a replaced file take room on the disk as long as it is open.
_IDLE_SECONDS = 60.0
_MOST_KEPT = 1000
# Of the texts that are kept. A usual page has 100 to 300 KB.
_RECENT_BYTES = 16 << 20


class NotPublished(Exception):
    """There is no published file, or it cannot be read."""


class TooSlow(Exception):
    """A request took longer than it may."""


class Reader:
    """What one request reads: a cursor on one publication, and a deadline."""

    def __init__(self, publication: "_Opened", cursor: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._publication, self._cursor = publication, cursor
        self._deadline = time.monotonic() + seconds
        self._partner: Reader | None = None

    def rows(self, sql: str, parameters: Mapping[str, object] | Sequence[object] | None = None) -> list[Row]:
        """The rows of a query. Instants are in UTC. Raises TooSlow, and duckdb.Error where a report refuses a value."""
        with self._limited():
            result = self._cursor.execute(sql, parameters)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def copy(self, sql: str, parameters: Mapping[str, object], path: Path, options: str) -> None:
        """Write the rows of a query into a file below the folder for exports."""
        with self._limited():
            self._cursor.execute(f"copy ({sql}) to {sql_text(path)} ({options})", parameters)

    def stop(self) -> None:
        """End what is running, from another thread: it raises TooSlow, and so does all that follows."""
        self._deadline = 0.0
        if self._partner:
            self._partner.stop()
        with contextlib.suppress(duckdb.Error):  # The cursor is closed.
            self._cursor.interrupt()

    def once(self, name: str, read: Callable[["Reader"], T]) -> T:
        """What `read` returns, read once for each publication. For what does not depend on the request."""
        kept = self._publication.kept
        with self._publication.lock:
            if name in kept:
                found: T = kept[name]
                return found
        result = read(self)
        with self._publication.lock:
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            kept[name] = result
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
        missing = {name: read for name, read in reads.items() if name not in self._publication.kept}
        if len(missing) < 2:
            self._read_all(missing)
            return
        names = list(missing)
        # This thread reads a half, and another one, on a cursor of its own, the other half.
        halves = names[::2], names[1::2]
        with ThreadPoolExecutor(1) as other, self._publication.root.cursor() as cursor:
            cursor.execute(f"use {DATABASE_NAME}")
            reader = self._partner = Reader(self._publication, cursor, self._deadline - time.monotonic())
            pending = other.submit(reader._read_all, {name: missing[name] for name in halves[1]})
            self._read_all({name: missing[name] for name in halves[0]})
            pending.result()

    def _read_all(self, reads: Mapping[str, Callable[["Reader"], object]]) -> None:
        for name, read in reads.items():
            self.once(name, read)

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        timer = threading.Timer(left, self._cursor.interrupt)
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
                root = self._attached()
                if self._identity() == before:
                    return _Opened(root, before)
                # The file was replaced in between, and it is not known which one was opened.
                root.close()
        except (OSError, duckdb.Error) as error:
            raise NotPublished(f"{self._path} cannot be read: {error}") from error

    def _attached(self) -> duckdb.DuckDBPyConnection:
        root = duckdb.connect(
            config={
                "threads": _THREADS,
                "memory_limit": _MEMORY,
                "temp_directory": str(self._exports),
                "allocator_background_threads": True,
                "allocator_flush_threshold": _KEPT,
                "allocator_bulk_deallocation_flush_threshold": _KEPT,
            }
        )
        try:
            root.execute("set TimeZone = 'UTC'")
            root.execute(f"load {sql_text(str(_EXCEL))}")
            root.execute(f"set allowed_directories = [{sql_text(self._exports)}]")
            attach_published(root, self._path)
        except BaseException:
            root.close()
            raise
        return root

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
