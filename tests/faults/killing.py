"""Runs the steps of a run in a process group of its own, and kills it at a station or at a moment.

A station is each change that Python makes to the data folder, and the beginning of each seed, model and test.
The group is forked from a process that has imported and parsed everything already, which is a fifth of a run.
"""

import gc
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

from orchestration.lib.forgetting import forget
from orchestration.lib.raw_zone.forgotten import Contact
from tests import harness

_NODES = ("seed", "model", "test")
# Of a batch, or of a folder that will be one.
_NUMBER = re.compile(r"(/batches-|/[.]incoming-)[\w-]+")
START = "start "
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir")


@dataclass(frozen=True)
class Ending:
    """How a run ended, and the stations that it came to, named alike in every run."""

    outcome: str  # killed, finished, failed
    stations: list[str]
    seconds: float

    @property
    def stage(self) -> str:
        """The stage of the last station."""
        return stage_of(self.stations[-1])


def stage_of(station: str) -> str:
    """The kind of node that dbt builds, or what Python does before and after."""
    kind, _, place = station.partition(" ")
    if kind in _NODES:
        return kind
    if kind == "flush" or place.startswith(("/published/", "/cache/publication")):
        return "publish"
    return "prepare" if place.startswith(("/warehouse", "/published")) else "extract"


def get_ready(data: Path) -> None:
    """Import and parse what every run on a data folder needs, once, in the process that they are forked from."""
    harness.Pipeline(data)
    harness.parsed_project()
    gc.collect()
    gc.freeze()


def run_in_child(
    data: Path, station: str | None = None, delay: float | None = None, forgotten: Contact | None = None
) -> Ending:
    """One run, killed with its whole group at a station, or so many seconds after it. Before it a contact is forgotten.

    To be called in a process that got ready, and has no threads: a fork of it is a process like any other.
    """
    assert threading.active_count() == 1
    log = os.open(data.with_suffix(".stations"), os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            _run(data, log, station, _killer(delay), forgotten)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    stations = os.pread(log, 1 << 24, 0).decode().splitlines()
    os.close(log)
    outcome = "killed" if os.WIFSIGNALED(status) else "failed" if os.waitstatus_to_exitcode(status) else "finished"
    return Ending(outcome, stations, time.monotonic() - started)


def _killer(delay: float | None) -> Callable[[], None]:
    """What kills this process group when it is called: at once, or after a delay, by a process that waits for it."""
    if delay is None:
        return partial(os.killpg, 0, signal.SIGKILL)
    heard, told = os.pipe()
    if os.fork() == 0:
        os.close(told)
        if os.read(heard, 1):
            time.sleep(delay)
            os.killpg(0, signal.SIGKILL)
        os._exit(0)
    os.close(heard)

    def tell() -> None:
        os.write(told, b".")

    return tell


def _run(data: Path, log: int, die_at: str | None, kill: Callable[[], None], forgotten: Contact | None) -> None:
    def arrive(what: str, path: object = "") -> None:
        place = _NUMBER.sub(r"\1", str(path).removeprefix(str(data)))
        os.write(log, f"{what} {place}\n".encode())
        if f"{what} {place}" == die_at:
            kill()

    def change(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[0], str):
            path, mode, _ = args
            written = mode is not None and mode[0] in "wax"
            # To wait until it is on the disk: with the checkpoint behind, and the publication in its place.
            flushed = mode is None and path.endswith((".duckdb", "published"))
            if (written or flushed) and path.startswith(str(data)) and not path.startswith(f"{data}/dbt/"):
                arrive("write" if written else "flush", path)
        elif event in _CHANGES and str(data) in str(args[0]) and f"{data}/dbt/" not in str(args[0]):
            # What is renamed is known by where it goes.
            arrive(event, args[1] if event == "os.rename" else args[0])

    def node(event: Any) -> None:
        if event.info.name == "NodeStart":
            kind, _, name, *_ = event.data.node_info.unique_id.split(".")
            if kind in _NODES:
                arrive(kind, name)

    harness.dbtRunner = partial(dbtRunner, callbacks=[node])  # type: ignore[assignment, attr-defined]
    pipeline = harness.Pipeline(data)
    sys.addaudithook(change)
    arrive("start")
    if forgotten:
        forget(pipeline.settings, forgotten)
    pipeline.run()
