"""The raw zone: every landed record, as text, in Parquet batches that appear whole or not at all.

    raw/batches-0-0/                     empty tables, so that a pattern over all batches always finds a file; zone_id
    raw/batches-1-64/files-*.parquet     the versions of files that batches 1 to 64 loaded
    raw/batches-1-64/events-*.parquet    their records; likewise for every other kind of file
    raw/batches-65-65/                   a batch that has not been merged with others yet (compaction.py)
    raw/batches-1-64/forgotten.json      the contacts that are masked in it (forgetting.py); none without it

A folder is written under a hidden name, and renamed when all of it is on the disk. Only the zone records what was
loaded. A folder whose batches are also in a wider folder does not count: it was merged into the wider one by a run that
was killed before it could remove it.
"""

import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.lib.folders import flush_to_disk
from orchestration.lib.landing.kinds import KINDS, Kind
from orchestration.lib.landing.listing import LandingFile
from orchestration.lib.problems import Problem
from orchestration.lib.sql import sql_text

# Zstandard's lowest level takes three quarters of the CPU of its default, and makes no larger files (2 million events:
# 2.8 against 3.8 CPU-seconds, 75 against 78 MB). Dictionaries are for columns of few values: without the limit, DuckDB
# would collect a thousand values of any other column before it gives up. Parquet 2 stores the texts of those by their
# lengths (10 million events: written 7.3 against 9.7 CPU-seconds, read 1.5 against 2.0, 324 against 352 MB).
PARQUET_OPTIONS = "format parquet, parquet_version v2, compression zstd, compression_level 1, dictionary_size_limit 500"

_FILES_COLUMNS = (
    "batch_id bigint, file_id bigint, workspace_folder varchar, kind varchar, source_file varchar, sha256 varchar, "
    "bytes bigint, records bigint, loaded_at timestamptz, header varchar[], delimiter varchar"
)


# In a folder: the contacts that it no longer identifies.
FORGOTTEN = "forgotten.json"


@dataclass(frozen=True)
class LoadedContents:
    """What has been loaded: event files by content, other files by the content last loaded from a path."""

    by_content: frozenset[tuple[str, str, str]]  # workspace_folder, kind, sha256
    last_by_path: dict[str, str]

    def has(self, file: LandingFile, sha256: str) -> bool:
        """Whether a file with this checksum need not be loaded again."""
        if file.kind.brings_events:
            return (file.workspace_id, file.kind.name, sha256) in self.by_content
        return self.last_by_path.get(file.path) == sha256


@dataclass(frozen=True, order=True)
class BatchFolder:
    """A folder of the zone, with the first and the last batch in it."""

    first: int
    last: int
    path: Path

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    @property
    def forgotten(self) -> str:
        """Its note of the contacts that are masked in it; empty where there is none."""
        try:
            return (self.path / FORGOTTEN).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""


class RawZone:
    """The batches below one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Create the zone if it does not exist, complete its empty tables, and remove what a killed run left.

        Only the writer calls it, before the models read the zone by a pattern.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        for leftover in self.path.glob(".incoming-*"):
            shutil.rmtree(leftover)
        empty = self.path / "batches-0-0"
        if not empty.exists():
            with self.incoming() as folder:
                (folder / "zone_id").write_text(uuid.uuid4().hex)
                self.appear(folder, empty)
        tables = {"files": _FILES_COLUMNS} | {name: _columns_of(kind) for name, kind in KINDS.items()}
        self._check_columns(empty / "columns.json", tables)
        missing = {
            target: columns for name, columns in tables.items() if not (target := empty / f"{name}-0.parquet").exists()
        }
        if missing:
            with self.incoming() as folder, duckdb.connect() as connection:
                for target, columns in missing.items():
                    connection.execute(f"create or replace table empty_table ({columns})")
                    connection.execute(f"copy empty_table to {sql_text(folder / target.name)} ({PARQUET_OPTIONS})")
                    self.appear(folder / target.name, target)
        self._remove_merged_folders()

    def _remove_merged_folders(self) -> None:
        """Remove the folders that were merged into a wider one."""
        for folder in set(self._all_folders()).difference(self.folders()):
            wider = self.folder_of(folder.first)
            # A folder that is half removed may have no manifest. One with other files was put there by somebody.
            if manifests := parquet_files(folder.path, "files"):
                merged = read_parquet(parquet_files(wider, "files"))
                with duckdb.connect() as connection:
                    query = f"from {read_parquet(manifests)} except from {merged} limit 1"
                    if connection.execute(query).fetchone():
                        raise _overlap(folder.path, wider)
            shutil.rmtree(folder.path)

    def _check_columns(self, note: Path, tables: Mapping[str, str]) -> None:
        """Raise Problem when another version of the project wrote the zone, with other columns."""
        wanted = json.dumps(tables)
        if note.exists() and note.read_text() == wanted:
            return
        if self.newest_batch():
            raise Problem(
                f"The raw zone {self.path} was written by another version of contact-reports",
                "Move it away and run again: its files are loaded again from the landing folder",
            )
        for table in note.parent.glob("*.parquet"):
            table.unlink()
        with self.incoming() as folder:
            (folder / note.name).write_text(wanted)
            self.appear(folder / note.name, note)

    @property
    def zone_id(self) -> str:
        """A random text that changes when the zone is deleted and created again."""
        return self._zone_id_file.read_text()

    @property
    def _zone_id_file(self) -> Path:
        return self.path / "batches-0-0" / "zone_id"

    def folders(self) -> list[BatchFolder]:
        """The folders that make up the zone, in the order of their batches.

        Raises Problem when two folders have batches in common.
        """
        folders: list[BatchFolder] = []
        for folder in sorted(self._all_folders(), key=lambda one: (one.first, -one.last)):
            if not folders or folder.first > folders[-1].last:
                folders.append(folder)
            elif folder.last > folders[-1].last:
                raise _overlap(folders[-1].path, folder.path)
        return folders

    def _all_folders(self) -> list[BatchFolder]:
        names = ((path, re.fullmatch(r"batches-(\d+)-(\d+)", path.name)) for path in self.path.glob("batches-*"))
        return [BatchFolder(int(name[1]), int(name[2]), path) for path, name in names if name]

    def folder_of(self, batch_id: int) -> Path:
        """The folder that a batch is in."""
        return next(folder.path for folder in self.folders() if folder.first <= batch_id <= folder.last)

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table, those of the first batches first."""
        return [file for folder in self.folders() for file in parquet_files(folder.path, table)]

    def reading(self, table: str) -> str:
        """The SQL that reads a table, for use after `from`."""
        return read_parquet(self.files(table))

    def newest_batch(self) -> int:
        """The number of the newest batch; 0 when there is none."""
        return self.folders()[-1].last

    def loaded_contents(self, connection: duckdb.DuckDBPyConnection) -> LoadedContents:
        """What has been loaded, according to the manifests of all batches."""
        files = self.reading("files")
        by_content = connection.execute(
            f"select distinct workspace_folder, kind, sha256 from {files} where workspace_folder is not null"
        ).fetchall()
        last_by_path = connection.execute(
            f"select source_file, max_by(sha256, file_id) from {files} group by source_file"
        ).fetchall()
        return LoadedContents(frozenset(by_content), dict(last_by_path))

    def loaded_with_error(self, connection: duckdb.DuckDBPyConnection, errors: str) -> list[tuple[str, str, str, str]]:
        """The files, as last loaded, with records of certain errors: workspace_folder, kind, sha256, source_file.

        `errors` is an SQL condition on `parse_error`.
        """
        ids = " union ".join(f"select file_id from {self.reading(table)} where {errors}" for table in KINDS)
        return connection.execute(
            f"""
            select workspace_folder, kind, sha256, source_file
            from (
                from {self.reading("files")}
                qualify file_id = max(file_id) over (partition by workspace_folder, kind, sha256)
            )
            where file_id in ({ids})"""
        ).fetchall()

    def newest_file_id(self, connection: duckdb.DuckDBPyConnection) -> int:
        """The highest file_id; 0 when there is none."""
        row = connection.execute(f"select coalesce(max(file_id), 0) from {self.reading('files')}").fetchone()
        assert row is not None
        return int(row[0])

    def last_loading(self, connection: duckdb.DuckDBPyConnection) -> tuple[int, datetime] | None:
        """The batch with the latest time of loading, and this time; None when there is no batch."""
        row = connection.execute(
            f"select max_by(batch_id, loaded_at), epoch_us(max(loaded_at)) from {self.reading('files')}"
        ).fetchone()
        return None if row is None or row[1] is None else (row[0], datetime.fromtimestamp(row[1] / 1e6, UTC))

    def fingerprint(self, up_to: int) -> str:
        """Fingerprint of batches 1 to `up_to`. It changes when any of them changes, and when a contact is forgotten."""
        notes = {folder.forgotten for folder in self.folders()[1:] if folder.first <= up_to}
        with duckdb.connect() as connection:
            row = connection.execute(
                f"""
                select concat_ws('/', count(*), bit_xor(hash(batch_id, file_id, sha256, epoch_us(loaded_at))))
                from {self.reading("files")} where batch_id <= $1""",
                [up_to],
            ).fetchone()
        assert row is not None
        if not any(notes):
            return str(row[0])
        return f"{row[0]}/{hashlib.sha256(repr(sorted(notes)).encode()).hexdigest()}"

    def commit(self, folder: Path, batch_id: int) -> None:
        """Make an incoming folder the next batch, in one step."""
        self.appear(folder, self.path / f"batches-{batch_id}-{batch_id}")

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Keep folders from being merged during the block, for a process that reads and is not the writer.

        Raises Problem as `folders` does.
        """
        self.folders()
        with self._zone_id_file.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextmanager
    def without_readers(self, patience: float = 0) -> Iterator[bool]:
        """Whether no process is in `at_rest` after so many seconds. If so, none can enter it during the block."""
        until = time.monotonic() + patience
        with self._zone_id_file.open("r+b") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() < until:
                        time.sleep(0.1)
                        continue
                    yield False
                else:
                    yield True
                return

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A folder to write a batch in, removed at the end of the block unless it was committed."""
        folder = self.path / f".incoming-{uuid.uuid4().hex}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def appear(self, source: Path, target: Path) -> None:
        """Rename what was written under a hidden name, when all of it is on the disk."""
        for path in [*(source.iterdir() if source.is_dir() else ()), source]:
            flush_to_disk(path)
        os.rename(source, target)
        flush_to_disk(target.parent)


def _columns_of(kind: Kind) -> str:
    """Column definitions of the table of a kind of file: where a record comes from, its fields, and the record.

    All fields are text. `fields` of an export is NULL where the file's delimiter splits the record into the same
    fields, so that they are not kept twice.
    """
    fields = "fields varchar[], " if kind.is_export else "".join(f"{column} varchar, " for column in kind.columns)
    return (
        "batch_id bigint, file_id bigint, source_line bigint, loaded_at timestamptz, workspace_folder varchar, "
        f"route varchar, source_file varchar, parse_error varchar, {fields}number_fields varchar, "
        "extra_fields varchar, raw_record varchar, raw_bytes blob"
    )


def _overlap(one: Path, other: Path) -> Problem:
    return Problem(
        f"{one} and {other} have batches in common, and are not of one raw zone",
        "Put the raw zone back as it is in one backup, into an empty folder",
    )


def parquet_files(folder: Path, table: str) -> list[Path]:
    """The Parquet files of a table in a folder, in the order of their numbers."""
    return sorted(folder.glob(f"{table}-*.parquet"), key=lambda file: int(file.stem.rsplit("-", 1)[1]))


def read_parquet(files: Sequence[Path]) -> str:
    """The SQL that reads Parquet files, for use after `from`. Names of folders make no columns."""
    names = ", ".join(sql_text(glob.escape(str(file))) for file in files)
    return f"read_parquet([{names}], hive_partitioning = false)"
