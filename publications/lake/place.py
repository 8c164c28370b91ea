"""The folder or the bucket of a lake: its files, how it is reached, and what its errors mean."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import fsspec
from deltalake.exceptions import CommitFailedError, DeltaError
from fsspec.implementations.local import LocalFileSystem

from orchestration.lib.folders import make_private_folder
from orchestration.lib.problems import Problem, says_disk_is_full, says_memory_is_short

# delta-rs refuses an endpoint without TLS unless it is allowed. What AWS_ENDPOINT_URL says is meant.
_OPTIONS_OF_S3 = {"aws_allow_http": "true"}
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


class Place:
    """A folder, or a bucket and a prefix in it."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") or url
        self._begun: list[str] = []

    @property
    def is_local(self) -> bool:
        return isinstance(self._files, LocalFileSystem)

    @property
    def options(self) -> dict[str, str]:
        """What delta-rs has to know beside the AWS_* variables."""
        return {} if self.is_local else dict(_OPTIONS_OF_S3)

    def make_ready(self) -> None:
        """Make the folder where there is none. The folder above it has to be there: a disk may not be mounted."""
        folder = Path(self.url)
        if self.is_local and not folder.is_dir():
            if folder.exists():
                raise Problem(
                    f"The lake {self.url} is not a folder",
                    "Set CONTACT_REPORTS_LAKE to a folder or s3://bucket/prefix",
                )
            if not folder.parent.is_dir():
                raise Problem(
                    f"The folder of the lake, {self.url}, does not exist, nor the one above it",
                    "Make it, mount its disk, or set CONTACT_REPORTS_LAKE to another folder or s3://bucket/prefix",
                )
            make_private_folder(folder)

    def let_in(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection write below this place, and nowhere else once it reaches no other file."""
        if not self.is_local:
            connection.register_filesystem(self._files)
        connection.execute("set allowed_directories = [$1]", [self.url])

    def begin_file(self, path: str) -> None:
        """Make the folder of a file that is about to be written. S3 has no folders."""
        self._begun.append(path)
        if self.is_local:
            Path(path).parent.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def deleting_on_failure(self) -> Iterator[None]:
        """Delete the files that were begun in the block if it fails: a full disk would stay full."""
        self._begun = []
        try:
            yield
        except BaseException:
            for path in self._begun:
                # What is left is deleted when the table is cleaned.
                with suppress(Exception):
                    self._files.rm_file(path)
            raise

    def files_below(self, path: str) -> dict[str, tuple[int, int]]:
        """By path below this one: the size of a file, and when it was modified, in milliseconds."""
        files, root = fsspec.core.url_to_fs(path)
        files.invalidate_cache()
        found: dict[str, dict[str, Any]] = files.find(root, detail=True)
        return {name.removeprefix(f"{root}/"): _size_and_time(entry) for name, entry in found.items()}

    def names_in(self, path: str) -> list[str]:
        """The names in a folder. Empty if there is none, and below a file."""
        self._files.invalidate_cache()
        with suppress(FileNotFoundError, NotADirectoryError):
            return [name.rstrip("/").rpartition("/")[2] for name in self._files.ls(path, detail=False)]
        return []

    def delete(self, path: str) -> None:
        # One by one: s3fs does not say which of many could not be deleted.
        with suppress(FileNotFoundError):
            self._files.rm_file(path)

    def read(self, path: str) -> bytes:
        """What a small file has. Empty if there is none."""
        try:
            content: bytes = self._files.cat_file(path)
        except FileNotFoundError:
            return b""
        return content

    def write(self, path: str, content: bytes) -> None:
        """Write a small file. A kill may leave a part of it in a folder."""
        self._files.pipe_file(path, content)

    def size_and_time(self, path: str) -> tuple[int, int]:
        """The same of one file, as it is listed."""
        return _size_and_time(self._files.info(path))

    @contextmanager
    def problems(self) -> Iterator[None]:
        """Turn an error of the place into a Problem that names it."""
        try:
            yield
        except (Problem, CommitFailedError):
            raise
        except Exception as error:
            said = " ".join(_COLOUR.sub("", str(error)).split())[:300] or repr(error)
            if says_memory_is_short(said):
                raise
            if says_disk_is_full(said):
                raise Problem(
                    f"The disk of the lake, {self.url}, is full ({said})", "Free space on it, and run again"
                ) from error
            if not self.is_local:
                # The errors of S3 have no common type.
                raise Problem(
                    f"The lake {self.url} cannot be reached or written: {said}",
                    "Check the bucket, the network, and the credentials in the AWS_* variables",
                    is_transient=not isinstance(error, PermissionError | FileNotFoundError),
                ) from error
            if isinstance(error, OSError | DeltaError | duckdb.IOException):
                raise Problem(
                    f"The lake {self.url} cannot be read or written: {said}",
                    "Check that its disk is mounted, and that the user who runs the pipeline may write there",
                ) from error
            raise

    @cached_property
    def _files(self) -> fsspec.AbstractFileSystem:
        files, _ = fsspec.core.url_to_fs(self.url)
        return files


def _size_and_time(entry: dict[str, Any]) -> tuple[int, int]:
    modified = entry["LastModified"] if "LastModified" in entry else entry["mtime"]
    seconds = modified.timestamp() if isinstance(modified, datetime) else modified
    return int(entry["size"]), int(seconds * 1000)
