"""Files of any query, as CSV, XLSX or Parquet: all rows, flat in memory.

DuckDB writes a file into the folder for exports. The file is opened and its folder removed before the first byte is
sent, so that nothing stays behind, whatever happens to the client or to this process while it is sent.
"""

import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from orchestration.lib.sql import sql_name, sql_text
from page.answers import error_answer, failure
from page.publication import Publication, Reader

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}
FORMATS = ("csv", "xlsx", "parquet")

# A sheet has 1,048,576 rows, the header among them.
_ROWS_OF_A_SHEET = 1_048_575
# A cell has at most 32,767 UTF-16 code units: so many characters always fit.
_CHARACTERS_OF_A_CELL = 16_383
# Excel keeps 15 digits of a number. A column with a larger one is written as text.
_NUMBER_TOO_LARGE = 10**15
# XML has none of these; Excel refuses a file with one.
_NOT_IN_XML = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
# Without it Excel takes a CSV file for the old encoding of its country.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# 255 bytes are possible, and a character has up to four.
_CHARACTERS_OF_A_NAME = 60
_CHUNK = 1 << 20
_SECONDS_BETWEEN_TRIES = 0.2

# Types whose text is never a formula.
_SAFE_TYPES = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*|BOOLEAN|DATE|TIMESTAMP)")

Columns = Mapping[str, str]


class Downloads:
    """Makes files of queries, a few at a time."""

    def __init__(
        self,
        publication: Publication,
        exports: Path,
        *,
        at_once: int = 4,
        wait_seconds: float = 10.0,
        make_seconds: float = 600.0,
        send_seconds: float = 600.0,
        rows_of_a_sheet: int = _ROWS_OF_A_SHEET,
    ) -> None:
        """`exports` is the publication's. A download waits for its turn, is made, and is sent; each has a limit."""
        self._publication, self._exports = publication, exports
        self._turns, self._wait_seconds = anyio.Semaphore(at_once), wait_seconds
        self._make_seconds, self.send_seconds = make_seconds, send_seconds
        self._rows_of_a_sheet = rows_of_a_sheet
        # One large file at a time fits into the memory of the publication.
        self.making = anyio.Lock()

    def file(self, sql: str, parameters: Mapping[str, object], name: str, kind: str) -> Response:
        """The answer with all rows of a query as a file of one of FORMATS. `name` is that of the file, without ending.

        The file is made when the answer is sent. If that fails the answer is an error.
        """
        return _Download(self, sql, parameters, name, kind)

    async def take_turn(self) -> bool:
        """Wait until another download may begin. Returns False when that takes too long; else call `end_turn`."""
        with anyio.move_on_after(self._wait_seconds):
            await self._turns.acquire()
            return True
        return False

    def end_turn(self) -> None:
        """Let another download begin."""
        self._turns.release()

    def make(self, stopper: "Stopper", sql: str, parameters: Mapping[str, object], name: str, kind: str) -> "_Made":
        """Write the file, and open it. Its folder is gone when this returns."""
        with (
            self._publication.reading(self._make_seconds) as reader,
            tempfile.TemporaryDirectory(dir=self._exports, prefix="download-") as folder,
        ):
            stopper.reader = reader
            columns = _columns(reader, sql, parameters)
            path = Path(folder) / f"rows.{kind}"
            match kind:
                case "csv":
                    selected = _selected(columns, _as_csv)
                    reader.copy(f"select {selected} from ({sql})", parameters, path, "format csv, header true")  # noqa: S608
                case "parquet":
                    reader.copy(sql, parameters, path, "format parquet")
                case "xlsx":
                    path = self._sheets(reader, columns, sql, parameters, Path(folder), name)
                case _:
                    raise ValueError(f"{kind} is none of {FORMATS}")
            ending = path.suffix.removeprefix(".")
            return _Made(path.open("rb"), ending, _BYTE_ORDER_MARK if ending == "csv" else b"")

    def _sheets(
        self, reader: Reader, columns: Columns, sql: str, parameters: Mapping[str, object], folder: Path, name: str
    ) -> Path:
        # The rows are read from here once for each sheet, and stay the same whatever the query sorts by.
        rows = folder / "rows.parquet"
        reader.copy(sql, parameters, rows, "format parquet")
        largest = ", ".join(
            ["count(*) as number_of_rows"]
            + [
                f"coalesce(max(abs({sql_name(column)}::hugeint)) >= {_NUMBER_TOO_LARGE}, false) as {sql_name(column)}"
                for column, type_ in columns.items()
                if type_ == "BIGINT"
            ]
        )
        (found,) = reader.rows(f"select {largest} from read_parquet({sql_text(rows)})")  # noqa: S608
        typed = {column: "VARCHAR" if found.get(column) is True else type_ for column, type_ in columns.items()}
        selected = _selected(typed, _as_cell)
        number_of_rows = found["number_of_rows"]
        starts = range(0, max(number_of_rows, 1), self._rows_of_a_sheet)
        paths = []
        for number, start in enumerate(starts, 1):
            paths.append(folder / f"{number}.xlsx")
            reader.copy(
                f"select {selected} from read_parquet({sql_text(rows)}, file_row_number = true) "  # noqa: S608
                f"where file_row_number >= {start} and file_row_number < {start + self._rows_of_a_sheet} "
                "order by file_row_number",
                {},
                paths[-1],
                "format xlsx, header true",
            )
        if len(paths) == 1:
            return paths[0]
        archive = folder / "rows.zip"
        # Spreadsheets are compressed already.
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
            for number, path in enumerate(paths, 1):
                file.write(path, f"{_safe(name)}_{number}.xlsx")
                path.unlink()
        return archive


class Stopper:
    """Ends the making of a file."""

    reader: Reader | None = None
    is_making = False
    is_stopped = False

    def stop(self) -> None:
        """End what is running."""
        if self.reader:
            self.reader.stop()


class _Made:
    """A file that is ready to be sent. Nobody else can see it."""

    def __init__(self, file: BinaryIO, ending: str, prefix: bytes) -> None:
        self.file, self.ending, self._prefix = file, ending, prefix
        self.size = len(prefix) + os.fstat(file.fileno()).st_size

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes."""
        if self._prefix:
            yield self._prefix
        while chunk := await anyio.to_thread.run_sync(self.file.read, _CHUNK):
            yield chunk


class _Download(Response):
    """The answer with a file, made when it is sent."""

    def __init__(self, downloads: Downloads, sql: str, parameters: Mapping[str, object], name: str, kind: str) -> None:
        super().__init__()
        self._downloads, self._name = downloads, name
        self._query = (sql, parameters, name, kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            # The length is known only when the file is made.
            await StreamingResponse(_nothing(), headers=_headers(self._name, self._query[3]))(scope, receive, send)
        elif await self._downloads.take_turn():
            try:
                if answer := await self._answer(scope["path"], receive):
                    await answer(scope, receive, send)
            finally:
                self._downloads.end_turn()
        else:
            message = "Too many downloads are being made. Try again in half a minute"
            busy = error_answer(scope["path"], 503, message, headers={"Retry-After": "30"})
            await busy(scope, receive, send)

    async def _answer(self, path: str, receive: Receive) -> "Response | _Sending | None":
        """The file, or what is wrong; None when the client is gone."""
        stopper = Stopper()
        made: _Made | Exception | None = None

        async def stop_when_the_client_is_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            stopper.is_stopped = True
            # This ends the wait for the lock. A thread that has begun is asked repeatedly to end: DuckDB forgets an
            # interrupt when a statement begins.
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
        return self._result(path, stopper, made)

    def _result(self, path: str, stopper: Stopper, made: "_Made | Exception | None") -> "Response | _Sending | None":
        if isinstance(made, _Made):
            if not stopper.is_stopped:
                return _Sending(made, self._name, self._downloads.send_seconds)
            made.file.close()
        return None if stopper.is_stopped or not isinstance(made, Exception) else failure(path, made)


class _Sending:
    """Sends a file that is made, and closes it."""

    def __init__(self, made: _Made, name: str, seconds: float) -> None:
        self._made, self._name, self._seconds = made, name, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {**_headers(self._name, self._made.ending), "content-length": str(self._made.size)}
        try:
            # The server cuts the connection when the answer ends before its length.
            with anyio.move_on_after(self._seconds):
                await StreamingResponse(self._made.chunks(), headers=headers)(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            self._made.file.close()


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def _columns(reader: Reader, sql: str, parameters: Mapping[str, object]) -> Columns:
    return {row["column_name"]: row["column_type"] for row in reader.rows(f"describe {sql}", parameters)}


def _selected(columns: Columns, expression: Callable[[str, str], str]) -> str:
    return ", ".join(f"{expression(sql_name(name), type_)} as {sql_name(name)}" for name, type_ in columns.items())


def _as_csv(column: str, type_: str) -> str:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"replace(timezone('UTC', {column})::varchar, ' ', 'T') || 'Z'"
    if _SAFE_TYPES.fullmatch(type_):
        return column
    # A spreadsheet takes such a text for a formula. After an apostrophe it is text, as in respond.io's own files.
    return rf"regexp_replace({_as_text(column, type_)}, '^[=+@\t\r-]', '''\0')"


def _as_cell(column: str, type_: str) -> str:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {column})"
    if _SAFE_TYPES.fullmatch(type_):
        return column
    return f"left(regexp_replace({_as_text(column, type_)}, '{_NOT_IN_XML}', '\ufffd', 'g'), {_CHARACTERS_OF_A_CELL})"


def _as_text(column: str, type_: str) -> str:
    return f"array_to_string({column}, ', ')" if type_ == "VARCHAR[]" else f"{column}::varchar"


def _headers(name: str, ending: str) -> dict[str, str]:
    return {"content-type": MEDIA_TYPES[ending], "content-disposition": content_disposition(name, ending)}


def content_disposition(name: str, ending: str) -> str:
    """The header by which a browser saves an answer as a file.

    The name is given twice: as ASCII, and for those who can read it, as it is (RFC 6266).
    """
    safe = _safe(name)
    ascii_ = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode() or "_"
    disposition = f'attachment; filename="{ascii_}.{ending}"'
    if ascii_ != safe:
        disposition += f"; filename*=UTF-8''{quote(safe, safe='')}.{ending}"
    return disposition


def _safe(name: str) -> str:
    """The name of a file that every system takes: letters, digits, `-`, `_` and `.`, and not too many of them."""
    return re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", name)).lstrip(".")[:_CHARACTERS_OF_A_NAME] or "_"
