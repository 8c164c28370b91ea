"""Collects what the receiver kept: moves its segments into the landing folder.

A run may be killed after each step, and the next run repeats it. The same segment is delivered under the same name with
the same bytes, and the same bytes of a workspace are loaded once.
"""

import os
import shutil
from contextlib import closing
from pathlib import Path

from orchestration.lib.folders import flush_to_disk, make_landing_folder
from orchestration.lib.landing.listing import Landing
from orchestration.lib.receiver.segments import OPEN, SEALED, Segment

# An append takes milliseconds. A receiver that holds a segment for this long hangs, and the run goes on without it.
LOCK_SECONDS = 10.0
# The wait for each later segment of the run.
LATER_LOCK_SECONDS = 1.0


def collect(
    folder: Path,
    landing: Landing,
    *,
    lock_seconds: float = LOCK_SECONDS,
    later_lock_seconds: float = LATER_LOCK_SECONDS,
) -> list[str]:
    """Deliver every body that was answered with 200 so far, whether its receiver is running or not.

    `folder` is where the receiver keeps them. Returns a warning for each workspace or segment that is left there.
    """
    warnings = []
    try:
        workspaces = sorted(path for path in folder.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []  # No receiver was ever started.
    except OSError as error:
        return [f"The webhook bodies in {folder} are not loaded: {error.strerror}; give the run's user permission"]
    for workspace in workspaces:
        try:
            # The order of the names is the order in which the segments were created.
            for path in sorted(workspace.iterdir()):
                if not path.name.endswith((OPEN, SEALED)):
                    continue
                try:
                    _collect(path, landing, lock_seconds)
                except BlockingIOError:
                    warnings.append(
                        f"Webhook bodies in {workspace} are not loaded, and wait there: "
                        f"a receiver has held one of the files for {lock_seconds:.0f} s. Restart the receiver"
                    )
                    lock_seconds = min(lock_seconds, later_lock_seconds)
        except Exception as error:
            # The errors of S3 have many types and no common one.
            if landing.is_local and not isinstance(error, OSError):
                raise
            warnings.append(
                f"Webhook bodies in {workspace} are not loaded, and wait there: "
                f"they cannot be delivered to {landing.url} ({error})"
            )
    return warnings


def _collect(path: Path, landing: Landing, lock_seconds: float) -> None:
    """Deliver a segment. Raises BlockingIOError when a receiver does not let go of it."""
    try:
        segment = Segment(path, os.O_RDWR)
    except FileNotFoundError:
        return  # Another run collected it.
    with closing(segment):
        if path.name.endswith(OPEN):
            # Before the lock, so that a busy receiver begins another segment after its current append.
            try:
                segment.seal()
            except FileNotFoundError:
                return
        if not segment.lock(wait_seconds=lock_seconds):
            return
        segment.cut_torn_line()
        if segment.size:
            _deliver(segment.path, landing)
        segment.path.unlink()


def _deliver(sealed: Path, landing: Landing) -> None:
    target = landing.absolute(f"{sealed.parent.name}/webhooks/{sealed.name}")
    if not landing.is_local:
        landing.files.put_file(str(sealed), target)  # S3 shows an object only when it is complete.
        return
    # Fails if the landing folder is missing: a configured folder is not created.
    os.stat(landing.root)
    delivered = Path(target)
    make_landing_folder(delivered.parent)
    incoming = delivered.with_name(f".{delivered.name}.tmp")
    with (
        sealed.open("rb") as source,
        open(incoming, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as copy,
    ):
        shutil.copyfileobj(source, copy)
    flush_to_disk(incoming)
    incoming.replace(delivered)
    flush_to_disk(delivered.parent)
