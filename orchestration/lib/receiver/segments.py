"""Segments: the files in which webhook bodies wait, one a line, until a run collects them.

    receiver/<workspace_id>/<time>-<unique>.jsonl.part    open: a receiver may append to it
    receiver/<workspace_id>/<time>-<unique>.jsonl         sealed: no receiver begins another append

Receiver and collector are two processes, and either may be killed at any moment. Each works on a segment only while it
holds the segment's lock, which the kernel releases when the process ends, and only if the file still has its name.
"""

import contextlib
import fcntl
import os
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from orchestration.lib.folders import flush_to_disk, make_private_folder

OPEN = ".jsonl.part"
SEALED = ".jsonl"

# An append takes milliseconds.
_POLL_SECONDS = 0.01


class Segment:
    """An open file that can be locked. Its methods raise OSError when the disk fails."""

    def __init__(self, path: Path, flags: int) -> None:
        self.path = path
        self._descriptor = os.open(path, flags, 0o600)
        self._end = self.size

    @classmethod
    def create(cls, folder: Path) -> "Segment":
        """A new open segment. Creates the folder if it is missing."""
        make_private_folder(folder)
        name = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%fZ}-{uuid.uuid4().hex[:8]}{OPEN}"
        segment = cls(folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        try:
            flush_to_disk(folder)
        except OSError:
            segment.close()
            raise
        return segment

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def lock(self, *, wait_seconds: float = 0.0) -> bool:
        """Take the lock. False when another process has moved or removed the segment.

        Raises BlockingIOError when another process still holds the lock after `wait_seconds`.
        """
        until = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
            except FileNotFoundError:
                return False
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_POLL_SECONDS)

    def unlock(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, which releases the lock."""
        os.close(self._descriptor)

    def append(self, lines: bytes) -> None:
        """Append whole lines and wait until they are on the disk. When this fails, none of them is kept."""
        if self.size > self._end:  # An append failed, and its lines could not be removed.
            os.ftruncate(self._descriptor, self._end)
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(lines)

    def cut_torn_line(self) -> None:
        """Cut off an incomplete last line, whose receiver was killed before it answered."""
        end = self.size
        while end:
            start = max(0, end - (1 << 16))
            newline = os.pread(self._descriptor, end - start, start).rfind(b"\n")
            end = start + newline + 1
            if newline >= 0:
                break
        os.ftruncate(self._descriptor, end)

    def seal(self) -> None:
        """Give an open segment its sealed name. Its receiver notices before the next append."""
        sealed = self.path.with_name(self.path.name.removesuffix(OPEN) + SEALED)
        os.rename(self.path, sealed)
        flush_to_disk(sealed.parent)
        self.path = sealed
