"""The command line: `python -m benchmarks compare`, `tick`, `queries`, `page`, `postgres`, `small-files`, and more."""

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from benchmarks import results
from benchmarks.batches import load_one_by_one
from benchmarks.generate import Format, write_landing
from benchmarks.measure import ROOT, Usage, run_python, run_with_pandas
from benchmarks.page import measure_page
from benchmarks.pipeline import Pipeline
from benchmarks.postgres import measure_postgres
from benchmarks.queries import time_queries
from benchmarks.report import write_report
from benchmarks.sameness import require_the_same
from benchmarks.ticks import TICK_EVENTS, Ticks, let_the_disk_rest

_SMALL_FILES, _EVENTS_PER_FILE = 20_000, 50

_format = click.option(
    "--format", "file_format", type=click.Choice(["parquet", "jsonl.gz"]), default="parquet", show_default=True
)
_repeats = click.option("--repeats", default=3, show_default=True, help="Runs of each; the median counts.")
_note = click.option("--note", default="", help="Kept with the figures, such as what else the machine did.")


@click.group()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "data" / "benchmarks",
    help="Where landing folders and data folders are made.  [default: data/benchmarks]",
)
@click.pass_context
def main(context: click.Context, folder: Path) -> None:
    """Measure the pipeline. Figures go to docs/performance.json, and from there to docs/performance.md."""
    context.obj = folder.absolute()


@main.command()
@click.argument("landing", type=click.Path(path_type=Path, file_okay=False))
@click.option("--events", default=1_000_000, show_default=True)
@click.option("--events-per-file", type=int, help="Write many plain JSONL files.  [default: few large ones]")
@_format
def generate(landing: Path, events: int, events_per_file: int | None, file_format: Format) -> None:
    """Write a landing folder of generated events."""
    write_landing(landing, events, file_format, events_per_file)


@main.command()
@click.option("--events", "sizes", multiple=True, type=int, default=[100_000, 1_000_000], show_default=True)
@click.option("--without-pandas", is_flag=True, help="It needs about a gigabyte for a million events.")
@_format
@_repeats
@_note
@click.pass_obj
def compare(
    folder: Path, sizes: Sequence[int], without_pandas: bool, file_format: Format, repeats: int, note: str
) -> None:
    """Run the pipeline, the hand-written script and the pandas script in turn on a whole history.

    Fails where they did not make the same tables.
    """
    for size in sizes:
        landing = _landing(folder, size, file_format)
        pipeline = _pipeline(folder, size, file_format)
        pipeline.warm_up()
        _compare("compare", pipeline, landing, size, file_format, repeats, note, with_pandas=not without_pandas)


@main.command()
@click.option("--events", "sizes", multiple=True, type=int, default=[100_000, 1_000_000], show_default=True)
@_format
@_repeats
@_note
@click.pass_obj
def tick(folder: Path, sizes: Sequence[int], file_format: Format, repeats: int, note: str) -> None:
    """Run the pipeline on 10,000 new events, and on nothing new. The sizes take turns."""
    histories = _ticks_in_turn(
        [(_history(folder, size, file_format), _landing(folder, size, file_format), size) for size in sizes],
        file_format,
        repeats,
    )
    for history in histories:
        for measure, usages, stages in (
            ("tick", history.ticks, history.stages_of_ticks),
            ("idle", history.idle, history.stages_of_idle),
        ):
            results.keep(
                measure,
                note,
                events=history.size,
                format=file_format,
                **results.medians(usages),
                stages=results.median_stages(stages),
                **({"slowest": history.slowest_models} if measure == "tick" else {}),
            )
    write_report()


@main.command()
@click.option("--events", "sizes", multiple=True, type=int, default=[1_000_000], show_default=True)
@click.option("--repeats", default=20, show_default=True, help="Queries of each kind; the median counts.")
@_format
@_note
@click.pass_obj
def queries(folder: Path, sizes: Sequence[int], file_format: Format, repeats: int, note: str) -> None:
    """Ask the published file what a dashboard would."""
    for size in sizes:
        times = time_queries(_history(folder, size, file_format).published, repeats)
        milliseconds = {name: [round(one, 1) for one in pair] for name, pair in times.items()}
        results.keep("queries", note, events=size, format=file_format, runs=repeats, milliseconds=milliseconds)
    write_report()


@main.command()
@click.option("--events", "sizes", multiple=True, type=int, default=[1_000_000], show_default=True)
@click.option("--repeats", default=20, show_default=True, help="Looks at each kind of page; the median counts.")
@_format
@_note
@click.pass_obj
def page(folder: Path, sizes: Sequence[int], file_format: Format, repeats: int, note: str) -> None:
    """Look at the report page, alone and with fifty people at once, and through a hundred publications."""
    for size in sizes:
        figures = measure_page(_history(folder, size, file_format).published, repeats)
        results.keep("page", note, events=size, format=file_format, runs=repeats, **asdict(figures))
    write_report()


@main.command()
@click.option("--events", "sizes", multiple=True, type=int, default=[1_000_000], show_default=True)
@_format
@_note
@click.pass_obj
def postgres(folder: Path, sizes: Sequence[int], file_format: Format, note: str) -> None:
    """Publish a history to PostgreSQL, and again after 10,000 new events."""
    for size in sizes:
        pipeline, landing = _history(folder, size, file_format), _landing(folder, size, file_format)
        figures = measure_postgres(pipeline, landing, size, file_format)
        results.keep("postgres", note, events=size, format=file_format, runs=1, **asdict(figures))
    write_report()


@main.command("small-files")
@click.option("--files", default=_SMALL_FILES, show_default=True)
@_repeats
@_note
@click.pass_obj
def small_files(folder: Path, files: int, repeats: int, note: str) -> None:
    """Run the pipeline and the hand-written script on many files of 50 events."""
    landing, pipeline = _small_landing(folder, files), Pipeline(folder / f"data-small-{files}")
    pipeline.warm_up()
    _compare("small_files", pipeline, landing, files * _EVENTS_PER_FILE, "jsonl", repeats, note, with_pandas=False)


@main.command("old-batches")
@click.option("--files", default=_SMALL_FILES, show_default=True)
@_repeats
@_note
@click.pass_obj
def old_batches(folder: Path, files: int, repeats: int, note: str) -> None:
    """Run the pipeline on 10,000 new events, on a history that one run loaded, and on one loaded file by file."""
    size, landing = files * _EVENTS_PER_FILE, _small_landing(folder, files)
    at_once, one_by_one = Pipeline(folder / f"data-small-{files}"), Pipeline(folder / f"data-one-by-one-{files}")
    at_once.forget()
    at_once.run(landing)
    shutil.rmtree(one_by_one.data, ignore_errors=True)
    shutil.copytree(at_once.data, one_by_one.data)
    number = load_one_by_one(one_by_one.data / "raw")
    one_by_one.run(landing)
    histories = _ticks_in_turn([(one, landing, size) for one in (at_once, one_by_one)], "jsonl.gz", repeats)
    of_batches = {
        batches: results.medians(history.ticks) for batches, history in zip((1, number), histories, strict=True)
    }
    results.keep("old_batches", note, events=size, format="jsonl", runs=repeats, of_batches=of_batches)
    write_report()


@main.command()
def report() -> None:
    """Write docs/performance.md's tables and plot again from docs/performance.json."""
    write_report()


def _compare(
    measure: str,
    pipeline: Pipeline,
    landing: Path,
    size: int,
    file_format: str,
    repeats: int,
    note: str,
    *,
    with_pandas: bool,
) -> None:
    script, pandas_script = pipeline.data.with_name("script"), pipeline.data.with_name("pandas-script")
    runs: dict[str, list[Usage]] = {}
    stages = []
    for _ in range(repeats):
        pipeline.forget()
        let_the_disk_rest()
        runs.setdefault("pipeline", []).append(_said(f"pipeline, {size:,}", pipeline.run(landing)))
        stages.append(pipeline.stages(runs["pipeline"][-1]))
        for output in (script, pandas_script):
            shutil.rmtree(output, ignore_errors=True)
        let_the_disk_rest()
        handwritten = run_python("benchmarks.handwritten", landing, script)
        runs.setdefault("handwritten", []).append(_said(f"handwritten, {size:,}", handwritten))
        if with_pandas:
            let_the_disk_rest()
            pandas = run_with_pandas("benchmarks.pandas_script", landing, pandas_script)
            runs.setdefault("pandas", []).append(_said(f"pandas, {size:,}", pandas))
        require_the_same(script / "contact_reports.duckdb", pipeline.published, pandas_script if with_pandas else None)
        for output in (script, pandas_script):
            shutil.rmtree(output, ignore_errors=True)
    contestants: dict[str, dict[str, Any]] = {name: results.medians(usages) for name, usages in runs.items()}
    results.keep(
        measure,
        note,
        events=size,
        format=file_format,
        runs=repeats,
        contestants=contestants,
        stages=results.median_stages(stages),
        slowest=pipeline.slowest_models(),
    )
    write_report()


def _ticks_in_turn(
    measured: Sequence[tuple[Pipeline, Path, int]], file_format: Format, repeats: int
) -> Sequence[Ticks]:
    """Measure ticks on several histories, each with its landing folder and size.

    The histories take turns, so that a change of the machine's speed affects all of them.
    """
    with ExitStack() as measuring:
        histories = [
            measuring.enter_context(Ticks(pipeline, landing, size, file_format)) for pipeline, landing, size in measured
        ]
        for history in histories:
            history.prepare(repeats)
        for number in range(repeats):
            for history in histories:
                history.measure(number)
                _said(f"nothing new on {history.name}", history.idle[-1])
                _said(f"{TICK_EVENTS:,} new on {history.name}", history.ticks[-1])
    return histories


def _small_landing(folder: Path, files: int) -> Path:
    landing = folder / f"landing-small-{files}"
    _once(landing, lambda: write_landing(landing, files * _EVENTS_PER_FILE, "jsonl.gz", _EVENTS_PER_FILE))
    return landing


def _landing(folder: Path, size: int, file_format: Format) -> Path:
    landing = folder / f"landing-{size}-{file_format}"
    _once(landing, lambda: write_landing(landing, size, file_format))
    return landing


def _once(landing: Path, write: Callable[[], None]) -> None:
    """Write a landing folder, unless an earlier measurement wrote all of it."""
    mark = landing.with_name(f"{landing.name}.complete")
    if mark.exists():
        return
    _say(f"writing {landing}")
    shutil.rmtree(landing, ignore_errors=True)
    write()
    mark.touch()


def _pipeline(folder: Path, size: int, file_format: Format) -> Pipeline:
    return Pipeline(folder / f"data-{size}-{file_format}")


def _history(folder: Path, size: int, file_format: Format) -> Pipeline:
    """The pipeline with a history loaded. Takes no time if an earlier measurement loaded it."""
    pipeline = _pipeline(folder, size, file_format)
    _say(f"loading a history of {size:,}")
    pipeline.run(_landing(folder, size, file_format))
    return pipeline


def _said(what: str, usage: Usage) -> Usage:
    _say(f"{what}: {usage.wall:.1f} s, {usage.cpu:.1f} CPU-s, {usage.peak_memory / 1e9:.2f} GB")
    return usage


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
