"""Collects what the receiver kept: takes its segments away and puts them into the landing folder.

Each step may be the last one before a kill, and is done again by the next run. The same segment is delivered under the
same name with the same bytes, and the same bytes of a workspace are loaded once.
"""

import os
import shutil
from contextlib import closing
from pathlib import Path

from orchestration.lib.folders import flush_to_disk, make_landing_folder
from orchestration.lib.landing.listing import Landing
from orchestration.lib.receiver.segments import OPEN, SEALED, Segment

# An append takes milliseconds. Whoever holds a segment for this long hangs, and the run does not wait for that.
LOCK_SECONDS = 10.0
LOCK_SECONDS_AFTERWARDS = 1.0


def collect(folder: Path, landing: Landing) -> list[str]:
    """Deliver every body that was answered with 200 so far, whether its receiver lives or not.

    `folder` is where the receiver keeps them. Returns a warning for each workspace or segment that has to wait.
    """
    warnings = []
    patience = LOCK_SECONDS
    try:
        workspaces = sorted(path for path in folder.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []  # There never was a receiver.
    except OSError as error:
        return [f"The webhook bodies in {folder} are not loaded: {error.strerror}; give the run's user permission"]
    for workspace in workspaces:
        try:
            # In the order of their names, which is that of their beginnings.
            for path in sorted(workspace.iterdir()):
                if not path.name.endswith((OPEN, SEALED)):
                    continue
                try:
                    _collect(path, landing, patience)
                except BlockingIOError:
                    warnings.append(
                        f"Webhook bodies in {workspace} are not loaded, and wait there: "
                        f"a receiver has held one of the files for {patience:.0f} s. Restart the receiver"
                    )
                    patience = min(patience, LOCK_SECONDS_AFTERWARDS)
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
        return  # Somebody else collected it.
    with closing(segment):
        if path.name.endswith(OPEN):
            # Before the lock, so that a busy receiver goes on in another one after the append that is under way.
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
        landing.files.put_file(str(sealed), target)  # An object is there when all of it is.
        return
    # What is configured and not there is to be named, not made.
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
