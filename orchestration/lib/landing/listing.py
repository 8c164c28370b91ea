"""Lists the complete files of the landing folder, on a disk or in S3, and opens them."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from orchestration.lib.landing.file_types import cure_of_name, is_lock_file
from orchestration.lib.landing.kinds import COMPRESSED_BY_THEMSELVES, FOLDERS, KINDS, WORKSPACES, Kind
from orchestration.lib.problems import Problem


@dataclass(frozen=True)
class LandingFile:
    """A complete file in the landing folder."""

    path: str  # relative to the landing folder, with forward slashes
    workspace_id: str | None  # None for workspaces.csv
    kind: Kind
    format: str
    compressed: bool
    size: int
    signature: str  # differs whenever the bytes may differ
    # On a disk: the path after all links, relative to the landing folder, and the device and inode.
    real_path: str = ""
    identity: tuple[int, int] | None = None


@dataclass
class Listing:
    """The files to load, in loading order, and a warning for each file that is not read."""

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

    def open(self, file: LandingFile) -> BinaryIO:
        """Open a listed file. Raises OSError, also where it was replaced by another file or by a link."""
        if not self.is_local:
            return cast(BinaryIO, self.files.open(self.absolute(file.path), "rb"))
        descriptor = _open_without_links(self.root, file.real_path)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) != file.identity:
            os.close(descriptor)
            raise OSError(errno.ESTALE, "it is not the file that was listed any more; the next run takes what is there")
        return os.fdopen(descriptor, "rb")

    def list(self) -> Listing:
        """List every file that can be loaded, sorted by the bytes of its path, which is the order of loading.

        Raises Problem when the folder, or one below it, is missing or may not be read. A run that saw only a part of
        the landing folder would load the rest in the wrong order.
        """
        listing = Listing()
        self.files.invalidate_cache()
        try:
            for entry in self._entries("", "", listing):
                if entry["type"] == "directory":
                    self._list_workspace(entry["path"], entry["real_path"], listing)
                elif entry["path"] == WORKSPACES.file_names:
                    listing.files.append(_landing_file(entry, None, WORKSPACES, "csv", compressed=False))
                else:
                    expected = (
                        f"beside {WORKSPACES.file_names} there are only the folders of workspaces; move it into one"
                    )
                    _warn_of_unread(listing, entry["path"], expected)
        except (FileNotFoundError, NotADirectoryError) as error:
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
                is_transient=_may_pass(error),
            ) from error
        listing.files.sort(key=lambda file: file.path.encode())
        return listing

    def _list_workspace(self, workspace_id: str, real_path: str, listing: Listing) -> None:
        for folder in self._entries(workspace_id, real_path, listing):
            folder_name = PurePosixPath(folder["path"]).name
            if folder["type"] != "directory" or folder_name not in FOLDERS:
                expected = f"a workspace's folders are {', '.join(FOLDERS)}"
                _warn_of_unread(listing, folder["path"], expected)
                continue
            for entry in self._entries(folder["path"], folder["real_path"], listing):
                if entry["type"] == "directory":
                    _warn_of_unread(listing, entry["path"], f"files lie directly in {folder['path']}")
                elif file := _workspace_file(entry, workspace_id, folder_name):
                    listing.files.append(file)
                else:
                    _warn_of_unread(listing, entry["path"], f"{_files_of(folder_name)}; rename it")

    def _entries(self, folder: str, real_path: str, listing: Listing) -> Iterator[dict[str, Any]]:
        """The complete entries of a folder.

        Each has its `path`, and its `real_path` after all links. Both are relative to the landing folder. The argument
        `real_path` is that of the folder.
        """
        root = Path(self.root).resolve() if self.is_local else Path()
        for entry in _entries_of_disk(root / real_path) if self.is_local else self._entries_of_bucket(folder):
            name = entry["name"]
            if not is_listed(name):
                continue
            path = f"{folder}/{name}" if folder else name
            if not _is_text(path):
                shown = path.encode("utf-8", "backslashreplace").decode()
                listing.warnings.append(f"{shown} is not read: its name is not UTF-8; rename it")
                continue
            target = root / real_path / name
            if entry["type"] == "link":
                try:
                    target = target.resolve(strict=True)
                except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
                    listing.warnings.append(f"{path} is not read: it links to nothing")
                    continue
                if not target.is_relative_to(root):
                    listing.warnings.append(f"{path} is not read: it links to a place outside the landing folder")
                    continue
                # The link's own status does not change when its target does.
                entry = _described(target.name, target.lstat())
            if entry["type"] not in ("file", "directory"):
                listing.warnings.append(f"{path} is not read: it is not a file")
                continue
            yield {**entry, "path": path, "real_path": target.relative_to(root).as_posix()}

    def _entries_of_bucket(self, folder: str) -> Iterator[dict[str, Any]]:
        base = self.absolute(folder).rstrip("/")
        for entry in self.files.ls(base, detail=True):
            # S3 lists the marker of a folder among the folder's entries.
            if (name := entry["name"].rstrip("/")) != base:
                yield {**entry, "name": name.rsplit("/", 1)[-1]}


def is_listed(name: str) -> bool:
    """Whether an entry with this name is read: hidden ones are not, nor files that are still being written."""
    return bool(name) and not name.startswith(".") and not name.endswith((".tmp", ".part"))


def _entries_of_disk(folder: Path) -> Iterator[dict[str, Any]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # It was removed meanwhile.
            yield _described(entry.name, status)


def _described(name: str, status: os.stat_result) -> dict[str, Any]:
    """An entry of a folder on a disk, with the keys that fsspec gives an entry in S3."""
    types = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
    return {
        "name": name,
        "type": types.get(stat.S_IFMT(status.st_mode), "other"),
        "size": status.st_size,
        "mtime": status.st_mtime_ns,
        "created": status.st_ctime_ns,
        "ino": status.st_ino,
        "identity": (status.st_dev, status.st_ino),
    }


def _open_without_links(root: str, real_path: str) -> int:
    """Open a file below a folder. Follows no link on the way, and does not wait for a pipe's writer."""
    *folders, name = real_path.split("/")
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise OSError(error.errno, "a link has taken its place, or that of a folder above it") from None
        raise
    finally:
        os.close(at)


def _may_pass(error: Exception) -> bool:
    """Whether an error of S3 may be gone in some minutes. By then its driver has tried five times."""
    from botocore.exceptions import ConnectionError as NotConnected
    from botocore.exceptions import HTTPClientError

    # s3fs's codes for "slow down", "service unavailable" and "internal error". Only Linux has EREMOTEIO.
    not_now = (errno.EBUSY, errno.EIO, getattr(errno, "EREMOTEIO", errno.EIO))
    return isinstance(error, HTTPClientError | NotConnected | TimeoutError) or (
        isinstance(error, OSError) and error.errno in not_now
    )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _workspace_file(entry: dict[str, Any], workspace_id: str, folder: str) -> LandingFile | None:
    """An entry of a workspace's folder as a file; None where its name is not one that is read there."""
    name = PurePosixPath(entry["path"].lower()).name
    if is_lock_file(name):
        return None
    compressed = name.endswith(".gz")
    suffix = PurePosixPath(name.removesuffix(".gz")).suffix
    for kind in _kinds_in(folder):
        if fnmatchcase(name, kind.file_names) and (file_format := kind.formats.get(suffix)):
            if compressed and file_format in COMPRESSED_BY_THEMSELVES:
                return None
            return _landing_file(entry, workspace_id, kind, file_format, compressed)
    return None


def _kinds_in(folder: str) -> list[Kind]:
    return [kind for kind in KINDS.values() if kind.folder == folder]


def _warn_of_unread(listing: Listing, path: str, expected: str) -> None:
    """Add the warning for a file whose name is not one that is read there: what it is, or else what is expected."""
    if cure := cure_of_name(PurePosixPath(path).name):
        listing.warnings.append(f"{path} is not read: it {cure}")
    else:
        listing.warnings.append(f"{path} is not read: {expected}")


def _files_of(folder: str) -> str:
    """The files that a folder holds, in words."""
    kinds = _kinds_in(folder)
    names = [kind.file_names for kind in kinds if kind.file_names != "*"]
    suffixes = dict.fromkeys(suffix for kind in kinds for suffix in kind.formats)
    return f"{folder} come as {', '.join(suffixes)}" + (f", named {', '.join(names)}" if names else "")


def _landing_file(
    entry: dict[str, Any], workspace_id: str | None, kind: Kind, file_format: str, compressed: bool
) -> LandingFile:
    # A local file cannot change without its ctime changing; an object in S3 not without its ETag.
    version = [entry.get(key) for key in ("size", "mtime", "created", "ino", "ETag", "LastModified")]
    return LandingFile(
        path=entry["path"],
        workspace_id=workspace_id,
        kind=kind,
        format=file_format,
        compressed=compressed,
        size=int(entry.get("size") or 0),
        signature=repr(version),
        real_path=entry["real_path"],
        identity=entry.get("identity"),
    )
