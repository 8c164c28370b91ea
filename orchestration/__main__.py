"""The command line: `python -m orchestration run`, `rebuild`, `verify`, `fetch`, `ui`."""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.lib.dbt import project as dbt
from orchestration.lib.lock import only_writer
from orchestration.lib.monitoring.health import (
    NEWEST_EVENT_WITHIN,
    PUBLISHED_WITHIN,
    note_run,
    read_health,
    read_unread_files,
)
from orchestration.lib.monitoring.status import status_lines
from orchestration.lib.pipeline import check_landing, explain, find_news
from orchestration.lib.problems import Problem
from orchestration.lib.progress import announce, listening
from orchestration.lib.secrets import read_secrets
from orchestration.lib.settings import PROJECT_ROOT, Settings, export_settings, read_settings
from orchestration.lib.text import PrintableFile, printable

if TYPE_CHECKING:
    from dagster import AssetCheckEvaluation, ExecuteInProcessResult

_console = Console(stderr=True)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_MODULE = "orchestration.definitions"
# A log of a month of hourly runs. Beyond this, the next run begins another, and the one before last is forgotten.
_LOG_BYTES = 10 << 20
_DATE = click.DateTime(["%Y-%m-%d"])


@click.group()
def main() -> None:
    """contact-reports: contact events in, report views out."""


@main.command()
def run() -> None:
    """Fetch, extract what is new, build, test, publish. Exit code 0 only if all of it was done."""
    settings = _prepare_to_write()
    tokens = sorted(read_secrets().api_tokens)
    _make_landing(settings)
    if settings.is_sample:
        _console.print("No landing folder is configured: working on the project's own sample workspaces.")
    warnings: list[str] = []
    with _showing_progress(), _output_in(settings.data / "logs" / "run.log"):
        with _noting_problems(settings):
            # Seconds before Dagster and dbt are there, and hours before all of the API is.
            check_landing(settings)
        # What one workspace's API does not give is no reason to keep back what all the others brought.
        _, failures = _fetch(settings, tokens)
        with _noting_problems(settings):
            news = find_news(settings)
        if news:
            warnings = _execute(settings)
        else:
            with only_writer(settings.data):
                note_run(settings.data, problem=None)
            announce("nothing is new, and the publication is up to date")
    _summarise(settings, warnings)
    if failures:
        raise Problem("; ".join(failures))


@main.command()
@click.option("--from", "first", type=_DATE, help="Say which days from this one on changed (local days).")
@click.option("--to", "last", type=_DATE, help="Say which days up to this one changed.")
def rebuild(first: datetime | None, last: datetime | None) -> None:
    """Build everything anew from the raw zone, test, publish; say on which days other events stand than before.

    What a record is depends on records of any other day, so that a range of days is no less work: it is built with all
    the others, and the days that changed outside of it are counted.
    """
    from orchestration.lib.warehouse.rebuild import describe_changes, published_days

    settings = _prepare_to_write()
    before = published_days(settings)
    with _showing_progress(), _output_in(settings.data / "logs" / "run.log"):
        warnings = _execute(settings, rebuild=True)
    _summarise(settings, warnings)
    after = published_days(settings) or {}
    for line in describe_changes(before, after, first.date() if first else None, last.date() if last else None):
        print(printable(line))


@main.command()
def verify() -> None:
    """Check the publication against the raw zone, without writing. Exit code 0 only if there is no difference."""
    from orchestration.lib.warehouse.verify import verify as compare

    settings = read_settings()
    with _showing_progress():
        result = compare(settings)
    for line in (*result.checked, *result.differences):
        print(printable(line))
    if result.differences:
        raise Problem(f"{settings.published} is not what the raw zone makes of it", "Run `make rebuild`")
    print("no difference")


@main.command()
@click.option("--workspace", "workspace_ids", multiple=True, metavar="ID", help="Only this one; may be repeated.")
@click.option("--from", "first", type=_DATE, help="The first day (UTC).  [default: where the last fetch ended]")
@click.option("--to", "last", type=_DATE, help="The last day (UTC).  [default: today]")
def fetch(workspace_ids: Sequence[str], first: datetime | None, last: datetime | None) -> None:
    """Fetch contacts, users and channels from respond.io's API into the landing folder.

    A day that was fetched is fetched again, whole.
    """
    settings = _prepare_to_write()
    tokens = read_secrets().api_tokens
    if not tokens:
        raise Problem("No workspace has a token", 'Set CONTACT_REPORTS_API_TOKENS to {"<workspace_id>": "<token>"}')
    if unknown := sorted(set(workspace_ids) - tokens.keys()):
        raise Problem(f"No token for workspace {', '.join(unknown)}", "Give it one in CONTACT_REPORTS_API_TOKENS")
    _make_landing(settings)
    with _showing_progress(), _output_in(settings.data / "logs" / "fetch.log"):
        lines, failures = _fetch(
            settings, sorted(workspace_ids or tokens), first.date() if first else None, last.date() if last else None
        )
    for line in lines:
        print(printable(line))
    if failures:
        raise Problem("; ".join(failures))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=3000, show_default=True, help="The port to listen on.")
def ui(host: str, port: int) -> None:
    """Open Dagster's web page and run its schedules, until interrupted.

    The page asks for no login, and takes what any website has a browser send: let it listen on this machine only.
    """
    _become("dg", "dev", "--host", host, "--port", str(port))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=3000, show_default=True, help="The port to listen on.")
def webserver(host: str, port: int) -> None:
    """Serve Dagster's web page, as a service does; the daemon is another."""
    _become("dagster-webserver", "--host", host, "--port", str(port), "--module-name", _MODULE)


@main.command()
def daemon() -> None:
    """Run Dagster's schedules and sensors and the runs they ask for, as a service does."""
    _become("dagster-daemon", "run", "--module-name", _MODULE)


@main.command()
@click.pass_context
def docs(context: click.Context) -> None:
    """Write dbt's documentation as one page and the data dictionary. Runs first where nothing is published yet."""
    settings = _prepare_to_write()
    if not settings.published.exists():
        context.invoke(run)
    from orchestration.lib.warehouse.documentation import write_dictionary, write_page

    print(f"dictionary  {write_dictionary(settings)}")
    print(f"page        {write_page(settings)}  (one file: open it in a browser, or put it on any web server)")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, help="The port to listen on.")
def receiver(host: str, port: int) -> None:
    """Receive webhooks and keep them for the next run, until interrupted."""
    from orchestration.lib.receiver.server import serve

    serve(read_settings(), host, port)


@main.command("stand-in")
@click.option("--port", default=8090, show_default=True, help="The port to listen on, of 127.0.0.1.")
def stand_in(port: int) -> None:
    """Serve a stand-in of respond.io's API, until interrupted: to try `fetch` without an account.

    It has 90 days of invented contacts, and prints the two variables that lead to it.
    """
    from orchestration.sample.sample import sample_behind_api
    from orchestration.sample.stand_in import StandIn

    api = StandIn({"stand-in": sample_behind_api(datetime.now(UTC))}, rate_limit=5)
    try:
        with api.served(port) as url:
            print(f"export CONTACT_REPORTS_API_URL={url}")
            print("""export CONTACT_REPORTS_API_TOKENS='{"acme": "stand-in"}'""", flush=True)
            threading.Event().wait()
    except OSError as error:
        raise Problem(
            f"The stand-in cannot listen on 127.0.0.1:{port} ({error.strerror})", "Name another --port"
        ) from None
    except KeyboardInterrupt:
        pass


@main.command()
@click.option(
    "--published-within",
    type=click.FloatRange(min=0),
    default=PUBLISHED_WITHIN / timedelta(hours=1),
    show_default=True,
    help="Hours since the last run that succeeded.",
)
@click.option(
    "--newest-event-within",
    type=click.FloatRange(min=0),
    default=NEWEST_EVENT_WITHIN / timedelta(hours=1),
    show_default=True,
    help="Hours since the newest event.",
)
def status(published_within: float, newest_event_within: float) -> None:
    """Say how the data is. Exit code 0 only if neither the publication nor the newest event is stale."""
    now, health = datetime.now(UTC), read_health(read_settings())
    limits = timedelta(hours=published_within), timedelta(hours=newest_event_within)
    for line in status_lines(health, now, *limits):
        print(printable(line))
    if health.stale(now, *limits):
        sys.exit(1)


def _become(program: str, *arguments: str) -> NoReturn:
    """Go on as a program of Dagster's, with our settings."""
    settings = _prepare_to_write()
    # Once, rather than in each of the processes that are about to load the definitions.
    dbt.ensure_manifest(settings)
    executable = str(Path(sys.executable).with_name(program))
    os.chdir(PROJECT_ROOT)
    os.execv(executable, [executable, *arguments])


def _prepare_to_write() -> Settings:
    """The settings, checked with all else that a command can be told in its first second, and their data folder."""
    settings = read_settings()
    if tokens := read_secrets().api_tokens:
        from orchestration.lib.respond_io.fetch import check_workspace_id

        for workspace_id in tokens:
            check_workspace_id(workspace_id)
    try:
        export_settings(settings)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        raise Problem(
            f"The data folder {settings.data} cannot be made: {error.strerror}",
            "Set CONTACT_REPORTS_DATA to a folder, or to a place where one can be made",
        ) from None
    if not (settings.dagster_home / "dagster.yaml").is_file():
        raise Problem(
            f"CONTACT_REPORTS_DAGSTER_HOME={str(settings.dagster_home)!r} has no dagster.yaml",
            "Set it to a folder that has one, such as deploy, or leave it out",
        )
    return settings


@contextlib.contextmanager
def _noting_problems(settings: Settings) -> Iterator[None]:
    """Note what stops a run before it begins, for `status`; not while another run writes."""
    try:
        yield
    except Problem as problem:
        with contextlib.suppress(Problem), only_writer(settings.data):
            note_run(settings.data, str(problem))
        raise


def _make_landing(settings: Settings) -> None:
    """Whoever has a token is past the sample, and need not make the folder that it fetches into."""
    if read_secrets().api_tokens and settings.landing is None:
        (settings.data / "landing").mkdir(parents=True, exist_ok=True)


def _fetch(
    settings: Settings, workspace_ids: Sequence[str], first: date | None = None, last: date | None = None
) -> tuple[list[str], list[str]]:
    """Fetch some days of some workspaces. Returns a line for each workspace, and the problems of those that failed.

    By way of Dagster's job, in this process: its page shows which days were fetched, whoever fetched them.
    """
    if not workspace_ids:
        return [], []
    import dagster as dg

    from orchestration.defs import respond_io
    from orchestration.lib.landing.listing import Landing
    from orchestration.lib.respond_io.fetch import days_to_fetch

    landing = Landing(settings.own_landing_url)
    today = datetime.now(UTC).date()
    job = respond_io.build_defs().resolve_job_def("respond_io_api")
    lines, failures = [], []
    with dg.DagsterInstance.get() as instance:
        for workspace_id in workspace_ids:
            try:
                begin, end = days_to_fetch(landing, workspace_id, today)
                begin, end = first or (min(begin, last) if last else begin), last or end
                if not respond_io.FIRST_DAY <= begin <= end <= today:
                    raise Problem(
                        f"There are no days from {begin} to {end}",
                        f"The first there is is {respond_io.FIRST_DAY}, the last {today} (UTC)",
                    )
                result = job.execute_in_process(
                    instance=instance,
                    asset_selection=[respond_io.api_key(workspace_id)],
                    tags={respond_io.BY_COMMAND: "fetch", **respond_io.days_as_tags(begin, end)},
                    raise_on_error=False,
                    run_config=_QUIET,
                )
                if not result.success:
                    raise _problem(result, settings)
            except Problem as problem:
                failures.append(str(problem))
                lines.append(f"{workspace_id}: failed")
                continue
            days = [event.materialization.metadata for event in result.get_asset_materialization_events()]
            contacts = sum(int(str(day["contacts"].value)) for day in days)
            requests, waited = (days[-1][f"{name}_of_the_run"].value for name in ("requests", "waited_seconds"))
            lines.append(
                f"{workspace_id}: {begin} to {end}, {contacts:,} contacts; {requests:,} requests, {waited} s waited"
            )
    with contextlib.suppress(Problem):  # without workspaces.csv, which is not needed for this
        lines += [f"{skipped}: skipped, it has no token" for skipped in respond_io.without_token(landing)]
    return lines, failures


def _execute(settings: Settings, *, rebuild: bool = False) -> list[str]:
    """Run the job in this process. Returns its warnings; raises Problem with what an operator can do otherwise."""
    # Here, as it takes seconds to import, and a wrong setting is to be refused before.
    import dagster as dg

    from orchestration.definitions import defs
    from orchestration.defs.operating import REBUILD
    from orchestration.lib.raw_zone.zone import RawZone
    from orchestration.lib.warehouse.plan import plan

    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("full_rebuild" if rebuild else "contact_reports").execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config=_QUIET | (REBUILD if rebuild else {}),
        )
        if result.success:
            with RawZone(settings.raw).at_rest():
                todo = plan(settings)
            if not todo.nothing_to_do:
                raise Problem(f"The run ended without a publication: {todo.reason}", "Run it again")
            # Of a step that started again, what it found in the end.
            checks = {check.asset_check_key: check for check in result.get_asset_check_evaluations()}
            return [line for check in checks.values() if not check.passed for line in _in_words(check, settings)]
        raise _problem(result, settings)


def _problem(result: "ExecuteInProcessResult", settings: Settings) -> Problem:
    """What made a run of Dagster's fail."""
    from orchestration.defs.operating import problem_in, was_interrupted

    if was_interrupted(result.all_events):
        raise KeyboardInterrupt
    problem = problem_in(result.all_events) or "The run failed"
    # What nobody foresaw is not to be understood from one line.
    return Problem(problem, f"The whole story is in {settings.data / 'logs'}" if "The run failed" in problem else None)


def _in_words(check: "AssetCheckEvaluation", settings: Settings) -> list[str]:
    """What a check found, as sentences, but for what lasts: the summary says that itself.

    dbt's tests say how many rows they found, ours say what.
    """
    from orchestration.lib.monitoring.summary import is_standing, new_rejects

    if check.check_name == "every_file_was_read":
        unread = read_unread_files(settings.data).warnings
        return [line for line in (check.description or "").splitlines() if line not in unread]
    if is_standing(check.check_name):
        return []
    if check.check_name == "new_rejects":
        return [new_rejects(settings)]
    rows = check.metadata.get("dagster_dbt/failed_row_count")
    found = f"it found {rows.value} rows" if rows else "see the log"
    return [check.description or f"the check {check.check_name} does not pass: {found} (docs/runbook.md, Checks)"]


def _summarise(settings: Settings, warnings: list[str]) -> None:
    """Print what is published, with the warnings of the run and those that last until somebody acts."""
    from orchestration.lib.monitoring.summary import print_summary

    if read_secrets().api_tokens:
        from orchestration.defs.respond_io import skipped_for_want_of_a_token

        warnings = [*warnings, *filter(None, [skipped_for_want_of_a_token()])]
    print_summary(settings, warnings, Console())


@contextlib.contextmanager
def _output_in(log: Path) -> Iterator[None]:
    """Keep what dbt and Dagster say in a file: it is for those who look for something.

    It goes on from what earlier runs said, and what another run says meanwhile.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            # A run that writes to it still does.
            log.replace(log.with_name(f"{log.name}.1"))
    with PrintableFile(log.open("ab"), encoding="utf-8", line_buffering=True) as file, contextlib.redirect_stdout(file):
        print(
            f"--- {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}, process {os.getpid()}: {' '.join(sys.argv[1:])}", flush=True
        )
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
    with Progress(*columns, console=_console) as progress:
        stages = {"starting": progress.add_task("starting", total=None)}

        def show(doing: str, done: int, total: int) -> None:
            if doing not in stages:
                progress.update(stages["starting"], total=1, completed=1)
                stages[doing] = progress.add_task(doing, total=total)
            progress.update(stages[doing], completed=done, total=total)

        with listening(show, lambda line: progress.console.print(line, soft_wrap=True, highlight=False, markup=False)):
            yield


def _safely() -> int:
    """Run a command; say what a person can do in one line."""
    # A scheduler stops a run like a person at the keyboard does: it cleans up, and leaves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("error: Stopped before it was done. Nothing is lost: run it again", file=sys.stderr)
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
