"""Benchmark of the publication to PostgreSQL: a whole history, then an incremental run."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generate import Format
from benchmarks.measure import PYTHON, ROOT
from benchmarks.pipeline import Pipeline
from benchmarks.ticks import Ticks


@dataclass(frozen=True)
class PostgresFigures:
    """Seconds, and rows that were written or deleted."""

    rows: int
    first_seconds: float  # the first publication
    first_work_seconds: float  # what PostgreSQL worked of these, by its own account
    first_moved: int
    tick_seconds: float  # the publication after 10,000 new events
    tick_work_seconds: float
    tick_moved: int
    again_seconds: float  # a publication of the same file
    again_work_seconds: float
    again_moved: int
    reading_seconds: float  # what each of them takes to read the file, before its transaction begins
    check_seconds: float  # the check after a publication


def measure_postgres(pipeline: Pipeline, landing: Path, size: int, file_format: Format) -> PostgresFigures:
    """Publish a history, and the same history after an incremental run. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(dir=pipeline.data.parent) as folder:
        files = [Path(folder) / name / pipeline.published.name for name in ("first", "second")]
        for file in files:
            file.parent.mkdir()
        shutil.copyfile(pipeline.published, files[0])
        with Ticks(pipeline, landing, size, file_format) as ticks:
            ticks.prepare(0)
            shutil.copyfile(pipeline.published, files[1])
        command = [PYTHON, "-m", "benchmarks.publish_to_postgres", *map(str, files)]
        said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        return PostgresFigures(**json.loads(said))
