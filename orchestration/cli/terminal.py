"""What a person sees of a command while it works, and the log that keeps the rest."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.lib.progress import listening
from orchestration.lib.text import PrintableFile

console = Console(stderr=True)
# About a month of hourly runs. A larger log is renamed by the next run, which overwrites the one renamed before.
_LOG_BYTES = 10 << 20


@contextlib.contextmanager
def output_in(log: Path, command: str | None = None) -> Iterator[None]:
    """Append the output of dbt and Dagster to a log file. Other runs may write to it at the same time.

    The log names the command, by default as it was typed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            # A run that has it open goes on writing to it.
            log.replace(log.with_name(f"{log.name}.1"))
    with PrintableFile(log.open("ab"), encoding="utf-8", line_buffering=True) as file, contextlib.redirect_stdout(file):
        typed = command or " ".join(sys.argv[1:])
        print(f"--- {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}, process {os.getpid()}: {typed}", flush=True)
        logging.basicConfig(stream=file, level=logging.INFO, force=True)
        # Two lines for each table of Dagster's storage, whenever it is opened.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        try:
            yield
        except Exception as error:
            # The disk of the log may be what is full.
            with contextlib.suppress(OSError):
                print(f"error: {error}", flush=True)
            raise


@contextlib.contextmanager
def showing_progress() -> Iterator[None]:
    """A bar for each stage on a terminal; elsewhere a line for each, and one more every ten seconds."""
    started = time.monotonic()
    if not console.is_terminal:
        said: dict[str, float] = {}

        def say(doing: str, done: int, total: int) -> None:
            now = time.monotonic()
            if now - said.get(doing, -10.0) >= 10 or done == total:
                said[doing] = now
                percent = 100 * done // total if total else 100
                print(f"[{now - started:5.1f} s] {doing}: {percent} %", file=sys.stderr, flush=True)

        print("[  0.0 s] starting", file=sys.stderr, flush=True)

        def hear(line: str) -> None:
            print(f"[{time.monotonic() - started:5.1f} s] {line}", file=sys.stderr, flush=True)

        with listening(say, hear):
            yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        stages = {"starting": progress.add_task("starting", total=None)}

        def show(doing: str, done: int, total: int) -> None:
            if doing not in stages:
                progress.update(stages["starting"], total=1, completed=1)
                stages[doing] = progress.add_task(doing, total=total)
            progress.update(stages[doing], completed=done, total=total)

        with listening(show, lambda line: progress.console.print(line, soft_wrap=True, highlight=False, markup=False)):
            yield
