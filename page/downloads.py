"""Downloads: all rows of a query as CSV, XLSX or Parquet, in constant memory.

DuckDB writes the file into the folder for exports. The file is then opened, and its folder removed, before the first
byte is sent. So no file is left behind if the client or this process ends during the transfer.
"""

import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from orchestration.lib.export.files import BYTE_ORDER_MARK, ROWS_OF_A_SHEET, write
from page.answers import address_of_request, error_answer, failure
from page.publication import Publication, Reader
from page.texts import Sentence

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}

# A file name has at most 255 bytes, and a character up to four.
_CHARACTERS_OF_A_NAME = 60
_CHUNK = 1 << 20
_SECONDS_BETWEEN_TRIES = 0.2


class Downloads:
    """Writes the results of queries to files, and limits how many are written and sent at once."""

    def __init__(
        self,
        publication: Publication,
        exports: Path,
        *,
        at_once: int = 4,
        wait_seconds: float = 10.0,
        make_seconds: float = 600.0,
        send_seconds: float = 600.0,
        rows_of_a_sheet: int = ROWS_OF_A_SHEET,
    ) -> None:
        """`exports` is a folder that the publication may write to. Waiting, writing and sending have a timeout each."""
        self._publication, self._exports = publication, exports
        self._turns, self._wait_seconds = anyio.Semaphore(at_once), wait_seconds
        self._make_seconds, self.send_seconds = make_seconds, send_seconds
        self._rows_of_a_sheet = rows_of_a_sheet
        # The memory limit of the publication suffices for one large file at a time.
        self.making = anyio.Lock()

    def file(self, sql: str, parameters: Mapping[str, object], name: str, kind: str) -> Response:
        """A response with all rows of a query as a file. `kind` is one of FORMATS, `name` the file name without ending.

        The file is written when the response is sent. If writing fails, the response is an error.
        """
        return _Download(self, sql, parameters, name, kind)

    async def take_turn(self) -> bool:
        """Wait until another download may begin. Returns False after a timeout. After True, call `end_turn`."""
        with anyio.move_on_after(self._wait_seconds):
            await self._turns.acquire()
            return True
        return False

    def end_turn(self) -> None:
        """Let another download begin."""
        self._turns.release()

    def make(self, stopper: "Stopper", sql: str, parameters: Mapping[str, object], name: str, kind: str) -> "_Made":
        """Write the file and open it. Its folder is removed before this returns."""
        with (
            self._publication.reading(self._make_seconds) as reader,
            tempfile.TemporaryDirectory(dir=self._exports, prefix="download-") as folder,
        ):
            stopper.reader = reader
            paths = write(
                reader, sql, parameters, Path(folder), kind, name=name, rows_of_a_sheet=self._rows_of_a_sheet
            ).paths
            path = paths[0] if len(paths) == 1 else _archive(paths, Path(folder), name)
            ending = path.suffix.removeprefix(".")
            return _Made(path.open("rb"), ending, BYTE_ORDER_MARK if ending == "csv" else b"")


class Stopper:
    """Cancels the writing of a file."""

    reader: Reader | None = None
    is_making = False
    is_stopped = False

    def stop(self) -> None:
        """Cancel it as soon as possible."""
        if self.reader:
            self.reader.stop()


class _Made:
    """A file that is ready to be sent. It is open and already unlinked."""

    def __init__(self, file: BinaryIO, ending: str, prefix: bytes) -> None:
        self.file, self.ending, self._prefix = file, ending, prefix
        self.size = len(prefix) + os.fstat(file.fileno()).st_size

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file."""
        if self._prefix:
            yield self._prefix
        while chunk := await anyio.to_thread.run_sync(self.file.read, _CHUNK):
            yield chunk


class _Download(Response):
    """A response with a file that is written when the response is sent."""

    def __init__(self, downloads: Downloads, sql: str, parameters: Mapping[str, object], name: str, kind: str) -> None:
        super().__init__()
        self._downloads, self._name = downloads, name
        self._query = (sql, parameters, name, kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            # Without a length: the length is known only after the file is written.
            await StreamingResponse(_nothing(), headers=_headers(self._name, self._query[3]))(scope, receive, send)
        elif await self._downloads.take_turn():
            try:
                if answer := await self._answer(address_of_request(scope), receive):
                    await answer(scope, receive, send)
            finally:
                self._downloads.end_turn()
        else:
            busy = error_answer(address_of_request(scope), 503, Sentence("failed_busy"), headers={"Retry-After": "30"})
            await busy(scope, receive, send)

    async def _answer(self, address: str, receive: Receive) -> "Response | _Sending | None":
        """The file, or an error; None if the client has disconnected."""
        stopper = Stopper()
        made: _Made | Exception | None = None

        async def stop_when_the_client_is_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            stopper.is_stopped = True
            # This ends the wait for the lock. A thread that writes is interrupted repeatedly, because an interrupt
            # between two statements has no effect.
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                while stopper.is_making:
                    stopper.stop()
                    await anyio.sleep(_SECONDS_BETWEEN_TRIES)

        def make() -> None:
            nonlocal made
            try:
                made = self._downloads.make(stopper, *self._query)
            except Exception as reason:
                made = reason

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop_when_the_client_is_gone)
            async with self._downloads.making:
                stopper.is_making = True
                try:
                    await anyio.to_thread.run_sync(make)
                finally:
                    stopper.is_making = False
            tasks.cancel_scope.cancel()
        return self._result(address, stopper, made)

    def _result(self, address: str, stopper: Stopper, made: "_Made | Exception | None") -> "Response | _Sending | None":
        if isinstance(made, _Made):
            if not stopper.is_stopped:
                return _Sending(made, self._name, self._downloads.send_seconds)
            made.file.close()
        return None if stopper.is_stopped or not isinstance(made, Exception) else failure(address, made)


class _Sending:
    """Sends a written file, and closes it."""

    def __init__(self, made: _Made, name: str, seconds: float) -> None:
        self._made, self._name, self._seconds = made, name, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {**_headers(self._name, self._made.ending), "content-length": str(self._made.size)}
        try:
            # After the timeout the response is shorter than its length, and the server closes the connection.
            with anyio.move_on_after(self._seconds):
                await StreamingResponse(self._made.chunks(), headers=headers)(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            self._made.file.close()


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def _archive(paths: Sequence[Path], folder: Path, name: str) -> Path:
    """The sheets as one file. They are compressed already."""
    archive = folder / "rows.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for number, path in enumerate(paths, 1):
            file.write(path, f"{_safe(name)}_{number}.xlsx")
            path.unlink()
    return archive


def _headers(name: str, ending: str) -> dict[str, str]:
    return {"content-type": MEDIA_TYPES[ending], "content-disposition": content_disposition(name, ending)}


def content_disposition(name: str, ending: str) -> str:
    """The header by which a browser saves a response as a file.

    `filename` is ASCII; `filename*` has the full name, for clients that know RFC 6266.
    """
    safe = _safe(name)
    ascii_ = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode() or "_"
    disposition = f'attachment; filename="{ascii_}.{ending}"'
    if ascii_ != safe:
        disposition += f"; filename*=UTF-8''{quote(safe, safe='')}.{ending}"
    return disposition


def _safe(name: str) -> str:
    """A file name that is valid on every system: letters, digits, `-`, `_` and `.`, of limited length."""
    return re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", name)).lstrip(".")[:_CHARACTERS_OF_A_NAME] or "_"
