"""Measures incremental runs (ticks) and runs with nothing new, each on the same history and one tick after it.

One tick runs before those that are measured, so that each of them follows an incremental run, as in operation.
"""

import os
import shutil
from pathlib import Path
from typing import Self

import click

from benchmarks.generate import Format, write_tick
from benchmarks.measure import Usage
from benchmarks.pipeline import Pipeline

TICK_EVENTS = 10_000

Stages = dict[str, tuple[float, float]]


class Ticks:
    """A history of some size. Each tick is measured on the same state of it, which is restored at the end."""

    def __init__(self, pipeline: Pipeline, landing: Path, size: int, file_format: Format) -> None:
        self.size, self.name = size, pipeline.data.name
        self._pipeline, self._landing, self._format = pipeline, landing, file_format
        self._history, self._before = (
            pipeline.data.with_name(f"{pipeline.data.name}-{name}") for name in ("history", "before")
        )
        self.ticks: list[Usage] = []
        self.idle: list[Usage] = []
        self.stages_of_ticks: list[Stages] = []
        self.stages_of_idle: list[Stages] = []
        self.slowest_models: list[tuple[str, float]] = []  # of the last tick

    def __enter__(self) -> Self:
        _copy(self._pipeline.data, self._history)
        return self

    def __exit__(self, *_: object) -> None:
        _copy(self._history, self._pipeline.data)
        for folder in (self._history, self._before):
            shutil.rmtree(folder, ignore_errors=True)

    def prepare(self, number: int) -> None:
        """Run the tick that comes before those that are measured."""
        self._tick(number)
        _copy(self._pipeline.data, self._before)

    def measure(self, number: int) -> None:
        """Measure a run with nothing new, then a tick. Each number has events of its own."""
        _copy(self._before, self._pipeline.data)
        # Not measured: a copied publication is read through by the first run that sees it.
        self._pipeline.run(self._landing)
        self.idle.append(self._pipeline.run(self._landing))
        self.stages_of_idle.append(self._pipeline.stages(self.idle[-1]))
        self.ticks.append(self._tick(number))
        self.stages_of_ticks.append(self._pipeline.stages(self.ticks[-1]))
        self.slowest_models = self._pipeline.slowest_models()

    def _tick(self, number: int) -> Usage:
        """Have new events land, run, and take them out of the landing folder again."""
        new_files = write_tick(self._landing, self.size, TICK_EVENTS, number, self._format)
        try:
            usage = self._pipeline.run(self._landing)
        finally:
            for file in new_files:
                file.unlink()
        if "building" not in usage.output:
            raise click.ClickException(
                f"Tick {number} was loaded before, by a measurement that was killed: delete {self._pipeline.data}"
            )
        return usage


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    let_the_disk_rest()


def let_the_disk_rest() -> None:
    """Flush the disk: otherwise a run that flushes its own files waits for the writes of others."""
    os.sync()
