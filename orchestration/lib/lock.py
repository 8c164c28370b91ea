"""One writer at a time on a data folder, enforced by the kernel: a process that dies lets go."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.lib.problems import Problem


@contextmanager
def only_writer(data: Path, patience: float = 0) -> Iterator[None]:
    """Hold the data folder's lock during the block.

    Raises Problem, naming the holder, when another run has it, and still has it after `patience` seconds.
    """
    data.mkdir(parents=True, exist_ok=True)
    holder = data / "run.holder"
    try:
        with FileLock(data / "run.lock", timeout=patience, poll_interval=0.5):
            now = datetime.now(UTC).isoformat(timespec="seconds")
            holder.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {now}")
            try:
                yield
            finally:
                holder.unlink(missing_ok=True)
    except Timeout:
        by = ""
        with suppress(FileNotFoundError):
            by = holder.read_text()
        raise Problem(
            f"Another run is writing in {data} ({by or 'a process that is just starting or ending'})",
            "Wait until it is done and run again, or give this one a data folder of its own with CONTACT_REPORTS_DATA",
        ) from None


def is_held(data: Path) -> bool:
    """Whether a run is writing in the data folder now. False where this user cannot find out. Makes no file."""
    if not (data / "run.lock").exists():
        return False
    try:
        with FileLock(data / "run.lock", blocking=False):
            return False
    except Timeout:
        return True
    except OSError:
        return False
