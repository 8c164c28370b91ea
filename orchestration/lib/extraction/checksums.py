"""SHA-256 of files: taken while a file is read, and remembered from run to run."""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from orchestration.lib.extraction.limits import Limits
from orchestration.lib.landing.listing import Landing, LandingFile


class HashingStream(io.RawIOBase):
    """A file being read, and the SHA-256 of all its bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._hash.update(buffer[:count])
        return cast(int, count)

    def checksum(self) -> str:
        """Read the rest, then return the SHA-256 of the whole file as hex."""
        while block := self._stream.read(1 << 18):
            self._hash.update(block)
        return self._hash.hexdigest()


def checksum(stream: BinaryIO) -> str:
    """SHA-256 of a file's bytes, as hex."""
    return HashingStream(stream).checksum()


class ChecksumCache:
    """A JSON file with the checksum of each landed file, valid while the file's signature is the same.

    Deleting it costs reading the landing folder once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._remembered = self._read()
        self._current: dict[str, tuple[str, str]] = {}

    def get(self, file: LandingFile) -> str | None:
        """The remembered checksum; None where the file may have changed since."""
        signature, sha256 = self._remembered.get(file.path, ("", ""))
        return sha256 if signature == file.signature else None

    def remember(self, file: LandingFile, sha256: str) -> None:
        """Keep a checksum for the next run. Files that are not remembered again are forgotten by `save`."""
        self._current[file.path] = (file.signature, sha256)

    def save(self) -> None:
        if self._current == self._remembered:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        incoming = self._path.with_suffix(".tmp")
        incoming.write_text(json.dumps(self._current))
        incoming.replace(self._path)

    def _read(self) -> dict[str, tuple[str, str]]:
        try:
            entries = json.loads(self._path.read_text()).items()
            return {path: (signature, sha256) for path, (signature, sha256) in entries}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}  # A missing or damaged cache costs time only.


@contextmanager
def reading_checksums(
    landing: Landing, files: list[LandingFile], limits: Limits
) -> Iterator[Callable[[LandingFile], str]]:
    """A function that returns the checksum of one of the files. Threads read the large ones on a disk ahead."""

    def read(file: LandingFile) -> str:
        with landing.open(file) as stream:
            return checksum(stream)

    workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
    large = (file for file in files if landing.is_local and file.size >= limits.thread_bytes)
    being_read = {file.path: workers.submit(read, file) for file in large}
    try:
        yield lambda file: being_read[file.path].result() if file.path in being_read else read(file)
    finally:
        workers.shutdown(cancel_futures=True)  # An interrupted run does not read the rest.


def is_settled(path: str, since: float, limits: Limits) -> bool:
    """Whether a file was at rest at a time, and has been since."""
    try:
        return since - os.stat(path).st_ctime > limits.settled_seconds
    except OSError:
        return False
