"""What lies in the landing folder: which files there are, which of them are complete, what each one holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from orchestration.lib.problems import Problem

TEXT_FORMATS = {".jsonl": "jsonl", ".csv": "csv"}

# Folder of a workspace → the formats it may hold (contract 2).
FORMATS_BY_KIND = {
    "events": {**TEXT_FORMATS, ".parquet": "parquet"},
    "users": {".csv": "csv"},
    "channels": {".csv": "csv"},
}
EVENT_KINDS = frozenset({"events"})
WORKSPACES_FILE = "workspaces.csv"


@dataclass(frozen=True)
class LandingFile:
    """A complete file in the landing folder."""

    path: str  # relative to the landing folder, with forward slashes
    workspace_id: str | None  # None for workspaces.csv
    kind: str
    format: str
    compressed: bool
    size: int
    signature: str  # differs whenever the bytes may differ


@dataclass
class Listing:
    """The files to consider, in loading order, and what a person should know about the others."""

    files: list[LandingFile] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Landing:
    """The landing folder, on a disk or in S3. All paths given and returned are relative to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.root: str
        self.files: fsspec.AbstractFileSystem
        self.files, self.root = fsspec.core.url_to_fs(url)

    @cached_property
    def is_local(self) -> bool:
        return isinstance(self.files, LocalFileSystem)

    def absolute(self, path: str) -> str:
        return f"{self.root.rstrip('/')}/{path}"

    def open(self, path: str) -> BinaryIO:
        return cast(BinaryIO, self.files.open(self.absolute(path), "rb"))

    def list(self) -> Listing:
        """List every file that may be loaded, sorted by the bytes of its path: the order of loading.

        Raises Problem when the folder, or one below it, is missing or may not be read: a run that saw only part
        of the landing folder would load later what should have been loaded first.
        """
        listing = Listing()
        self.files.invalidate_cache()
        try:
            for entry in self._entries("", listing):
                if entry["type"] == "directory":
                    self._list_workspace(entry["path"], listing)
                elif entry["path"] == WORKSPACES_FILE:
                    listing.files.append(_landing_file(entry, None, "workspaces", "csv", compressed=False))
        except FileNotFoundError as error:
            raise Problem(
                f"The landing folder {self.url} does not exist ({error})",
                "Create it, or set CONTACT_REPORTS_LANDING to the folder or s3://bucket/prefix where files arrive",
            ) from None
        except PermissionError as error:
            raise Problem(
                f"The landing folder {self.url} cannot be read: {error}",
                "Give the user who runs the pipeline read and list permission",
            ) from None
        except Exception as error:
            if self.is_local:
                raise
            # The errors of S3 have many types and no common one.
            raise Problem(
                f"The landing folder {self.url} cannot be listed: {error}",
                "Check the bucket, the network, and the credentials in the AWS_* variables",
            ) from error
        listing.files.sort(key=lambda file: file.path.encode())
        return listing

    def _list_workspace(self, workspace_id: str, listing: Listing) -> None:
        for folder in self._entries(workspace_id, listing):
            kind = PurePosixPath(folder["path"]).name
            if folder["type"] != "directory" or kind not in FORMATS_BY_KIND:
                listing.warnings.append(
                    f"{folder['path']} is not read: a workspace's folders are {', '.join(FORMATS_BY_KIND)}"
                )
                continue
            for entry in self._entries(folder["path"], listing):
                if entry["type"] == "directory":
                    listing.warnings.append(f"{entry['path']} is not read: files lie directly in {folder['path']}")
                    continue
                name = entry["path"].lower()
                compressed = name.endswith(".gz")
                suffix = PurePosixPath(name.removesuffix(".gz")).suffix
                file_format = FORMATS_BY_KIND[kind].get(suffix)
                if file_format is None or (compressed and file_format == "parquet"):
                    allowed = ", ".join(FORMATS_BY_KIND[kind])
                    listing.warnings.append(f"{entry['path']} is not read: {kind} come as {allowed}; rename it")
                    continue
                listing.files.append(_landing_file(entry, workspace_id, kind, file_format, compressed))

    def _entries(self, folder: str, listing: Listing) -> Iterator[dict[str, Any]]:
        """The complete entries of a folder, with `path` relative to the landing folder."""
        base = self.absolute(folder).rstrip("/")
        for entry in self.files.ls(base, detail=True):
            name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
            if not name or name.startswith(".") or name.endswith((".tmp", ".part")):
                continue
            if entry["name"].rstrip("/") == base:
                continue  # S3 lists a folder's own marker among its entries.
            path = f"{folder}/{name}" if folder else name
            if not _is_text(path):
                shown = path.encode("utf-8", "backslashreplace").decode()
                listing.warnings.append(f"{shown} is not read: its name is not UTF-8; rename it")
                continue
            if entry.get("islink"):
                try:
                    target = Path(base, name).resolve(strict=True)
                except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
                    listing.warnings.append(f"{path} is not read: it links to nothing")
                    continue
                if not target.is_relative_to(Path(self.root).resolve()):
                    listing.warnings.append(f"{path} is not read: it links to a place outside the landing folder")
                    continue
                # What a link says of itself does not change when the file behind it does.
                entry = self.files.info(str(target))
            if entry["type"] not in ("file", "directory"):
                listing.warnings.append(f"{path} is not read: it is not a file")
                continue
            yield {**entry, "path": path}


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _landing_file(
    entry: dict[str, Any], workspace_id: str | None, kind: str, file_format: str, compressed: bool
) -> LandingFile:
    # A local file cannot change without its ctime changing; an object in S3 not without its ETag.
    identity = [entry.get(key) for key in ("size", "mtime", "created", "ino", "ETag", "LastModified")]
    return LandingFile(
        path=entry["path"],
        workspace_id=workspace_id,
        kind=kind,
        format=file_format,
        compressed=compressed,
        size=int(entry.get("size") or 0),
        signature=repr(identity),
    )
