"""Loads Parquet files into a batch: files with the same columns share a statement, which reads them with all CPUs."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import duckdb

from orchestration.lib.extraction import decoding_parquet
from orchestration.lib.extraction.checksums import checksum
from orchestration.lib.extraction.parquet_footer import copy_with_texts_as_bytes
from orchestration.lib.extraction.parts import NewFile, Outcome, Parts
from orchestration.lib.landing.file_types import HEAD_BYTES, NotReadable
from orchestration.lib.landing.listing import Landing
from orchestration.lib.problems import first_line, says_disk_is_full

# At most this many Parquet files, or bytes of them, share a statement, which keeps each open. Alone, small ones take
# 15 ms each (20,000 of 50 records together: 16 CPU-seconds), and large ones have too few row groups to keep two CPUs
# busy (60 of 585 MB: 8.5 s; 32 MB at a time 7.4, 64 to 512 about 6.2). When one is broken, the others of its group are
# read up to three times.
_FILES_PER_GROUP = 250
_BYTES_PER_GROUP = 128 << 20

# Where Linux has a name for each open file of a process.
_DESCRIPTORS = "/proc/self/fd"


@dataclass(frozen=True)
class _ParquetFile:
    """A Parquet file, and the path by which DuckDB reads it."""

    new: NewFile
    path: str

    @property
    def description(self) -> dict[str, object]:
        return {**self.new.description, "path": self.path}


class ParquetLoader:
    """Loads the Parquet files that can be read to their end; refuses the others. Uses the workers of `parts`."""

    def __init__(self, landing: Landing, parts: Parts, outcome: Outcome) -> None:
        self._landing = landing
        self._parts = parts
        self._outcome = outcome
        self._connection = parts.connection

    def load(self, files: Iterable[NewFile]) -> None:
        for group in _groups(files):
            self._load_group(group)

    def _load_group(self, group: Sequence[NewFile]) -> None:
        with (
            ExitStack() as opened,
            tempfile.TemporaryDirectory() as links,
            tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._parts.folder.parent) as copies,
        ):
            files: list[_ParquetFile] = []
            for new in group:
                try:
                    files.append(self._open(new, opened, links, copies))
                except OSError as error:
                    self._outcome.refuse(new, error)
            for alike in self._with_the_same_columns(files):
                self._load_alike(alike)

    def _open(self, new: NewFile, opened: ExitStack, links: str, copies: str) -> _ParquetFile:
        """Give DuckDB a path to a file, which it reads from the end and in the middle.

        The path of a local file leads to its open descriptor, which `opened` keeps, as the file may be replaced
        meanwhile. An object in S3 is copied to the disk first. The path has no brackets, which DuckDB would take for a
        pattern.
        """
        stream = opened.enter_context(self._landing.open(new.file))
        name = f"{new.file_id}.parquet"
        if self._landing.is_local and os.path.isdir(_DESCRIPTORS):
            link = os.path.join(links, name)
            os.symlink(f"{_DESCRIPTORS}/{stream.fileno()}", link)
            return _ParquetFile(new, link)
        path = os.path.join(copies, name)
        with open(path, "wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
        return _ParquetFile(new, path)

    def _with_the_same_columns(self, files: Sequence[_ParquetFile]) -> Iterable[Sequence[_ParquetFile]]:
        """Groups of files of one kind with the same columns."""
        if len(files) < 2:
            return [files] if files else []
        try:
            query = decoding_parquet.schemas_of_parquet([file.path for file in files])
            schemas = dict(self._connection.execute(query).fetchall())
        except duckdb.Error:
            # One of them is broken. Which one shows when they are loaded.
            half = len(files) // 2
            return chain(self._with_the_same_columns(files[:half]), self._with_the_same_columns(files[half:]))
        alike: dict[tuple[str, str], list[_ParquetFile]] = {}
        for file in files:
            alike.setdefault((file.new.file.kind.name, schemas[file.path]), []).append(file)
        return alike.values()

    def _load_alike(self, files: Sequence[_ParquetFile]) -> None:
        """Load files with the same columns into one part. Where one is broken, load each half by itself, and so on."""
        try:
            self._write_part(files)
        except (NotReadable, OSError) as error:
            if len(files) == 1:
                self._outcome.refuse(files[0].new, error)
                return
            half = len(files) // 2
            self._load_alike(files[:half])
            self._load_alike(files[half:])
        else:
            for file in files:
                self._outcome.accept(file.new)

    def _write_part(self, files: Sequence[_ParquetFile]) -> None:
        part = self._parts.next_part(files[0].new.file.kind)
        try:
            self._write_readable(files, part)
            workers = os.cpu_count() or 1
            list(self._parts.workers.map(_check_unchanged, (files[i::workers] for i in range(workers))))
        except (NotReadable, OSError):
            part.unlink(missing_ok=True)
            raise

    def _write_readable(self, files: Sequence[_ParquetFile], part: Path) -> None:
        """Write the records of files. Raises NotReadable when one of them is broken."""
        try:
            self._write(files, part)
        except duckdb.Error as error:
            _raise_if_not_of_the_file(error)
            # One text that is not UTF-8 costs a file all of its rows, unless all texts are read as bytes.
            if len(files) > 1 or not self._write_with_texts_as_bytes(files[0], part):
                with open(files[0].path, "rb") as stream:
                    files[0].new.check_type(stream.read(HEAD_BYTES))
                # The message may end with the value that is not UTF-8, such as a name.
                message = first_line(error).split(': value "')[0]
                raise NotReadable(f"is not a Parquet file that can be read to its end ({message})") from None

    def _write_with_texts_as_bytes(self, file: _ParquetFile, part: Path) -> bool:
        """Write the records of a file whose texts are not all UTF-8. False where something else is wrong with it."""
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._parts.folder.parent) as copies:
            copy = os.path.join(copies, os.path.basename(file.path))
            try:
                copy_with_texts_as_bytes(file.path, copy)
                declared = self._columns(file.path)
                as_bytes = self._columns(copy)
                texts = frozenset(name for name, column_type in as_bytes.items() if column_type != declared[name])
                self._write([replace(file, path=copy)], part, texts)
            except ValueError:
                return False
            except duckdb.Error as error:
                _raise_if_not_of_the_file(error)
                return False
        return True

    def _write(self, files: Sequence[_ParquetFile], part: Path, text_columns: frozenset[str] = frozenset()) -> None:
        paths = [file.path for file in files]
        kind = files[0].new.file.kind
        select = decoding_parquet.decode_parquet(kind, self._columns(paths[0]), paths, text_columns=text_columns)
        self._parts.write(part, select, json.dumps([file.description for file in files]))

    def _columns(self, path: str) -> dict[str, str]:
        """The columns of a Parquet file with their types."""
        described = self._connection.execute(decoding_parquet.columns_of_parquet(path)).fetchall()
        return {column: column_type for column, column_type, *_ in described}


def _raise_if_not_of_the_file(error: duckdb.Error) -> None:
    """Raise an error again that comes from the machine and not from what was read."""
    if isinstance(error, duckdb.OutOfMemoryException) or says_disk_is_full(str(error)):
        raise error


def _groups(files: Iterable[NewFile]) -> Iterator[list[NewFile]]:
    """Files to load together, as far as their columns allow."""
    group: list[NewFile] = []
    size = 0
    for new in files:
        if group and (len(group) == _FILES_PER_GROUP or size + new.file.size > _BYTES_PER_GROUP):
            yield group
            group, size = [], 0
        group.append(new)
        size += new.file.size
    if group:
        yield group


def _check_unchanged(files: Sequence[_ParquetFile]) -> None:
    for file in files:
        with open(file.path, "rb") as stream:
            file.new.check_unchanged(checksum(stream))
