"""What the loaders of a batch share: the Parquet files that they write, and which landed files were loaded."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.lib.extraction.csv_reading import CsvHeader
from orchestration.lib.landing.file_types import NotReadable, check_type
from orchestration.lib.landing.kinds import Kind
from orchestration.lib.landing.listing import LandingFile
from orchestration.lib.progress import report
from orchestration.lib.raw_zone.zone import PARQUET_OPTIONS
from orchestration.lib.sql import sql_text


@dataclass(frozen=True)
class NewFile:
    """A landed file to load, and the number that the raw zone knows it by."""

    file: LandingFile
    sha256: str
    file_id: int

    @property
    def description(self) -> dict[str, object]:
        """What the decoding SQL puts into each record of the file."""
        return {
            "file_id": self.file_id,
            "workspace_folder": self.file.workspace_id,
            "source_file": self.file.path,
        }

    def check_type(self, head: bytes) -> None:
        """Raise NotReadable when the first bytes show that the file is not what its name says."""
        file = self.file
        check_type(head, file.format, compressed=file.compressed, read_here=file.kind.formats.values())

    def check_unchanged(self, sha256: str) -> None:
        """Raise NotReadable when the file's checksum is no longer the one that it was found to be new by."""
        if sha256 != self.sha256:
            raise NotReadable(
                "changed while it was read", "it is taken by the next run, once it is at rest", may_pass=True
            )


class Parts:
    """The Parquet files of a batch: numbered for each table, in one folder. `workers` are threads for the loaders."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, batch_id: int, loaded_at: datetime) -> None:
        self.connection = connection
        self.folder = folder
        self.workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        self._batch_id = batch_id
        self._loaded_at = loaded_at
        self._count = 0

    def next_part(self, kind: Kind) -> Path:
        """The path of a file that a loader is going to write."""
        self._count += 1
        return self.folder / f"{kind.name}-{self._count}.parquet"

    def write(self, part: Path, select: str, *parameters: object) -> None:
        """Write the rows of a query as a Parquet file. Any thread may call it.

        $1 in the query is the batch, $2 the time of loading; `parameters` follow.
        """
        with self.connection.cursor() as cursor:
            cursor.execute("set TimeZone = 'UTC'")
            cursor.execute(
                f"copy ({select}) to {sql_text(part)} ({PARQUET_OPTIONS})",
                [self._batch_id, self._loaded_at, *parameters],
            )


class Outcome:
    """Which files of a batch were loaded and which were not. Reports the progress."""

    def __init__(self, new_files: Sequence[NewFile]) -> None:
        self.loaded: list[NewFile] = []
        self.headers: dict[int, CsvHeader] = {}  # file_id of an export → its header
        self.warnings: list[str] = []  # about records of loaded files
        self.in_vain: list[str] = []  # paths of files that fail again until they change
        self._refused: dict[int, str] = {}
        self._bytes_done = 0
        self._bytes_in_all = sum(new.file.size for new in new_files)

    @property
    def refused(self) -> list[str]:
        """A warning for each file that was not loaded, in loading order."""
        return [warning for _, warning in sorted(self._refused.items())]

    def accept(self, new: NewFile) -> None:
        self.loaded.append(new)
        self._report(new)

    def refuse(self, new: NewFile, error: NotReadable | OSError) -> None:
        if isinstance(error, NotReadable):
            self._refused[new.file_id] = f"{new.file.path} is not loaded: it {error}"
            if not error.may_pass:
                self.in_vain.append(new.file.path)
        else:
            self._refused[new.file_id] = f"{new.file.path} is not loaded: {error.strerror or error}"
        self._report(new)

    def _report(self, new: NewFile) -> None:
        self._bytes_done += new.file.size
        report("loading", self._bytes_done, self._bytes_in_all)
