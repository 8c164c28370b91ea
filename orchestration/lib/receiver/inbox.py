"""The inbox of the receiver: writes bodies to the disk, all that have arrived with one flush."""

import asyncio
import contextlib
import logging
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestration.lib.folders import flush_to_disk, make_private_folder
from orchestration.lib.receiver.segments import Segment

# A segment of this size is left for the next run, and a new one is begun, as a run delivers a segment in one piece.
SEGMENT_BYTES = 64 << 20

# In JSON a line end between tokens means the same as a space, and inside of a token it is not allowed.
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")

_log = logging.getLogger(__name__)


class Inbox:
    """Keeps the bodies of all workspaces. Used from one event loop; one thread writes the files.

    Bodies that arrive during a write are written and flushed together after it.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.kept = 0  # bodies, since the start
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._segments: dict[str, Segment] = {}
        self._waiting: list[tuple[str, bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._checking: asyncio.Future[None] | None = None

    async def keep(self, workspace_id: str, body: bytes) -> None:
        """Return when the body is on the disk. Raises OSError when it cannot be written."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((workspace_id, body.translate(_ONE_LINE) + b"\n", kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await kept

    async def check(self) -> None:
        """Raise OSError when nothing can be written."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.get_running_loop().run_in_executor(self._disk, self._write_something)
        await asyncio.shield(self._checking)

    def close(self) -> None:
        """Finish the current write. The segments stay for a run to collect."""
        self._disk.shutdown()
        for segment in self._segments.values():
            segment.close()

    async def _write(self) -> None:
        while self._waiting:
            lines: dict[str, list[bytes]] = defaultdict(list)
            answers: dict[str, list[asyncio.Future[None]]] = defaultdict(list)
            for workspace_id, line, kept in self._waiting:
                lines[workspace_id].append(line)
                answers[workspace_id].append(kept)
            self._waiting = []
            for workspace_id, kept_together in answers.items():
                error = await self._try_to_append(workspace_id, b"".join(lines[workspace_id]))
                self.kept += len(kept_together) if error is None else 0
                for kept in kept_together:
                    if kept.done():  # Its request was cancelled.
                        continue
                    if error is None:
                        kept.set_result(None)
                    else:
                        kept.set_exception(error)
        self._writing = None

    async def _try_to_append(self, workspace_id: str, lines: bytes) -> Exception | None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._disk, self._append, workspace_id, lines)
        except Exception as error:
            _log.error("Bodies for workspace %s cannot be kept: %s", workspace_id, error)
            return error
        return None

    def _append(self, workspace_id: str, lines: bytes) -> None:
        segment = self._locked_segment(workspace_id)
        try:
            segment.append(lines)
        finally:
            segment.unlock()

    def _locked_segment(self, workspace_id: str) -> Segment:
        """The workspace's segment, locked. A new one when a run is collecting it, has collected it, or it is large."""
        while True:
            segment = self._segments.get(workspace_id)
            if segment is None:
                segment = self._segments[workspace_id] = Segment.create(self._folder / workspace_id)
            with contextlib.suppress(BlockingIOError):
                if segment.lock() and segment.size < self._segment_bytes:
                    return segment
            self._segments.pop(workspace_id).close()

    def _write_something(self) -> None:
        """Write and flush a new file, which is all that an append needs of the disk."""
        make_private_folder(self._folder)
        probe = self._folder / f".probe-{uuid.uuid4().hex}"
        try:
            probe.write_bytes(bytes(4096))
            flush_to_disk(probe)
        finally:
            probe.unlink(missing_ok=True)
