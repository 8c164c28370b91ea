"""Folders that are made while runs and the receiver work: who may enter them, and that they are on the disk."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

_CHANGING_UMASK = threading.Lock()


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, and those above it as usual, with their entries on the disk."""
    for path in _missing(folder):
        _make(path, 0o700 if path == folder else 0o777)


def make_landing_folder(folder: Path) -> None:
    """Make a folder below the landing folder.

    Below a setgid folder it belongs to the same group, which may do in it what it may do there: whoever lands files
    lands them in there, too. Elsewhere it is private.
    """
    for path in _missing(folder):
        above = path.parent.stat().st_mode
        if above & stat.S_ISGID:
            # The kernel hands the bit and the group down. By the umask, as a chmod would have to name the bit, which
            # RestrictSUIDSGID= of systemd refuses.
            with _CHANGING_UMASK:
                before = os.umask(0o007)
                try:
                    _make(path, stat.S_IRWXU | above & stat.S_IRWXG)
                finally:
                    os.umask(before)
        else:
            _make(path, 0o700 if path == folder else 0o777)


def _missing(folder: Path) -> Iterator[Path]:
    """The folder and those above it that are not there, the outermost first."""
    if not folder.is_dir():
        yield from reversed([folder, *(above for above in folder.parents if not above.is_dir())])


def _make(path: Path, mode: int) -> None:
    path.mkdir(mode=mode, exist_ok=True)
    flush_to_disk(path.parent)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's bytes, or a folder's entries, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
