"""The command line: `python -m orchestration run`."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.lib.pipeline import explain
from orchestration.lib.problems import Problem
from orchestration.lib.progress import listening
from orchestration.lib.settings import PROJECT_ROOT, Settings, export_settings, read_settings

if TYPE_CHECKING:
    from dagster import AssetCheckEvaluation

_console = Console(stderr=True)


@click.group()
def main() -> None:
    """contact-reports: contact events in, report views out."""


@main.command()
def run() -> None:
    """Extract what is new, build, test, publish. Exit code 0 only if everything was published."""
    settings = read_settings()
    export_settings(settings)
    if settings.is_sample:
        _console.print("No landing folder is configured: working on the project's own sample workspaces.")
    with _showing_progress(), _output_in(settings.data / "logs" / "run.log"):
        warnings = _execute(settings)
    from orchestration.lib.summary import print_summary

    print_summary(settings, warnings, Console())


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=3000, show_default=True, help="The port to listen on.")
def ui(host: str, port: int) -> None:
    """Open Dagster's web page and run its schedules, until interrupted."""
    settings = read_settings()
    export_settings(settings)
    from orchestration.lib.dbt import ensure_manifest

    # Once, rather than in each of the processes that are about to load the definitions.
    ensure_manifest(settings)
    dg = str(Path(sys.executable).with_name("dg"))
    os.chdir(PROJECT_ROOT)
    os.execv(dg, [dg, "dev", "--host", host, "--port", str(port)])


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, help="The port to listen on.")
def receiver(host: str, port: int) -> None:
    """Receive webhooks and keep them for the next run, until interrupted."""
    from orchestration.lib.receiver.server import serve

    serve(read_settings(), host, port)


def _execute(settings: Settings) -> list[str]:
    """Run the job in this process. Returns its warnings; raises Problem with what an operator can do otherwise."""
    # Here, as it takes seconds to import, and a wrong setting is to be refused before.
    import dagster as dg

    from orchestration.definitions import defs
    from orchestration.lib.warehouse import plan

    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("contact_reports").execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        if result.success:
            todo = plan(settings)
            if not todo.nothing_to_do:
                raise Problem(f"The run ended without a publication: {todo.reason}", "Run it again")
            return [_in_words(check) for check in result.get_asset_check_evaluations() if not check.passed]
        log = settings.data / "logs" / "run.log"
        for event in result.all_events:
            error = getattr(event.event_specific_data, "error", None)
            if event.is_failure and error is not None:
                while error.cause is not None and "Failure: " not in error.message:
                    error = error.cause
                if "Failure: " in error.message:
                    raise Problem(error.message.split("Failure: ", 1)[1].strip())
                raise Problem(f"The run failed: {error.message.strip()}", f"The whole story is in {log}")
        raise Problem("The run failed", f"The whole story is in {log}")


def _in_words(check: "AssetCheckEvaluation") -> str:
    """A check that found something, for the summary. dbt's tests say how many rows, ours say what."""
    rows = check.metadata.get("dagster_dbt/failed_row_count")
    found = f"{rows.value} rows" if rows else "see the log"
    return f"{check.check_name}: {check.description or found}"


@contextlib.contextmanager
def _output_in(log: Path) -> Iterator[None]:
    """Keep what dbt and Dagster say in a file: it is for those who look for something."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file, contextlib.redirect_stdout(file):
        logging.basicConfig(stream=file, level=logging.INFO, force=True)
        yield


@contextlib.contextmanager
def _showing_progress() -> Iterator[None]:
    """A bar for each stage on a terminal; elsewhere a line for each, and one more every ten seconds."""
    started = time.monotonic()
    if not _console.is_terminal:
        said: dict[str, float] = {}

        def say(doing: str, done: int, total: int) -> None:
            now = time.monotonic()
            if now - said.get(doing, -10.0) >= 10 or done == total:
                said[doing] = now
                percent = 100 * done // total if total else 100
                print(f"[{now - started:5.1f} s] {doing}: {percent} %", file=sys.stderr, flush=True)

        print("[  0.0 s] starting", file=sys.stderr, flush=True)
        with listening(say):
            yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_console) as progress:
        stages = {"starting": progress.add_task("starting", total=None)}

        def show(doing: str, done: int, total: int) -> None:
            if doing not in stages:
                progress.update(stages["starting"], total=1, completed=1)
                stages[doing] = progress.add_task(doing, total=total)
            progress.update(stages[doing], completed=done, total=total)

        with listening(show):
            yield


def _safely() -> int:
    """Run a command; say what a person can do in one line."""
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except Exception as error:
        problem = error if isinstance(error, Problem) else explain(error, read_settings())
        if problem is None:
            raise
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_safely())
