"""The commands of `python -m orchestration`, and of the Makefile."""

import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console

from orchestration.cli.preparation import become, make_landing, noting_problems, prepare_to_write
from orchestration.cli.runs import execute
from orchestration.cli.runs import fetch as fetch_days
from orchestration.cli.terminal import console, output_in, showing_progress
from orchestration.lib.lock import only_writer
from orchestration.lib.monitoring.health import PUBLISHED_WITHIN, note_run, read_health
from orchestration.lib.monitoring.status import status_lines
from orchestration.lib.pipeline import check_landing, find_news
from orchestration.lib.problems import Problem
from orchestration.lib.progress import announce
from orchestration.lib.secrets import read_secrets
from orchestration.lib.settings import NEWEST_EVENT_WITHIN, Settings, read_settings
from orchestration.lib.text import printable

_MODULE = "orchestration.definitions"
Command = Callable[..., None]
_DATE = click.DateTime(["%Y-%m-%d"])


def _listening(*, port: int) -> Callable[[Command], Command]:
    """The options of a command that listens: by default on this machine only."""

    def with_options(command: Command) -> Command:
        command = click.option("--port", default=port, show_default=True, help="The port to listen on.")(command)
        return click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")(command)

    return with_options


@click.group()
def main() -> None:
    """contact-reports: contact events in, report views out."""


@main.command()
def run() -> None:
    """Fetch, extract what is new, build, test, publish. Exit code 0 only if all of it was done."""
    settings = prepare_to_write()
    tokens = sorted(read_secrets().api_tokens)
    make_landing(settings)
    if settings.is_sample:
        console.print("No landing folder is configured: working on the project's own sample workspaces.")
    warnings: list[str] = []
    with showing_progress(), output_in(settings.data / "logs" / "run.log"):
        with noting_problems(settings):
            # Checked first: importing Dagster and dbt takes seconds, and fetching from the API may take hours.
            check_landing(settings)
        # A workspace whose fetch fails does not keep the others from being published.
        _, failures = fetch_days(settings, tokens)
        with noting_problems(settings):
            news = find_news(settings)
        if news:
            warnings = execute(settings)
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
    """Rebuild everything from the raw zone, test, publish; say which days changed.

    A record's state may depend on records of any other day, so a range of days is no less work. All days are built;
    days that changed outside of the range are counted.
    """
    from orchestration.lib.warehouse.rebuild import describe_changes, published_days

    settings = prepare_to_write()
    before = published_days(settings)
    with showing_progress(), output_in(settings.data / "logs" / "run.log"):
        warnings = execute(settings, rebuild=True)
    _summarise(settings, warnings)
    after = published_days(settings) or {}
    for line in describe_changes(before, after, first.date() if first else None, last.date() if last else None):
        print(printable(line))


@main.command()
def verify() -> None:
    """Check the publication against the raw zone, without writing. Exit code 0 only if there is no difference."""
    from orchestration.lib.warehouse.verify import verify as compare

    settings = read_settings()
    with showing_progress():
        result = compare(settings)
    for line in (*result.checked, *result.differences):
        print(printable(line))
    if result.differences:
        raise Problem(f"{settings.published} is not what the raw zone makes of it", "Run `make rebuild`")
    print("no difference")


@main.command()
@click.argument("name")
@click.option("--rows", type=click.IntRange(min=1), default=20, show_default=True, help="How many rows to show.")
def model(name: str, rows: int) -> None:
    """Build a model that you edited, its tests and what depends on it in a scratch copy, and show some rows."""
    from orchestration.lib.warehouse.preview import preview

    print(preview(prepare_to_write(), name, rows))


@main.command()
@click.option("--workspace", "workspace_ids", multiple=True, metavar="ID", help="Only this one; may be repeated.")
@click.option("--from", "first", type=_DATE, help="The first day (UTC).  [default: where the last fetch ended]")
@click.option("--to", "last", type=_DATE, help="The last day (UTC).  [default: today]")
def fetch(workspace_ids: Sequence[str], first: datetime | None, last: datetime | None) -> None:
    """Fetch contacts, users and channels from respond.io's API into the landing folder.

    A day that was fetched is fetched again, whole.
    """
    settings = prepare_to_write()
    tokens = read_secrets().api_tokens
    if not tokens:
        raise Problem("No workspace has a token", 'Set CONTACT_REPORTS_API_TOKENS to {"<workspace_id>": "<token>"}')
    if unknown := sorted(set(workspace_ids) - tokens.keys()):
        raise Problem(f"No token for workspace {', '.join(unknown)}", "Give it one in CONTACT_REPORTS_API_TOKENS")
    make_landing(settings)
    with showing_progress(), output_in(settings.data / "logs" / "fetch.log"):
        lines, failures = fetch_days(
            settings, sorted(workspace_ids or tokens), first.date() if first else None, last.date() if last else None
        )
    for line in lines:
        print(printable(line))
    if failures:
        raise Problem("; ".join(failures))


@main.command()
@_listening(port=3000)
def ui(host: str, port: int) -> None:
    """Open Dagster's web page and run its schedules, until interrupted.

    The page asks for no login, and takes what any website has a browser send: let it listen on this machine only.
    """
    become("dg", "dev", "--host", host, "--port", str(port))


@main.command()
@_listening(port=3000)
def webserver(host: str, port: int) -> None:
    """Serve Dagster's web page, as a service does; the daemon is another."""
    become("dagster-webserver", "--host", host, "--port", str(port), "--module-name", _MODULE)


@main.command()
def daemon() -> None:
    """Run Dagster's schedules and sensors and the runs they ask for, as a service does."""
    become("dagster-daemon", "run", "--module-name", _MODULE)


@main.command()
@click.pass_context
def docs(context: click.Context) -> None:
    """Write dbt's documentation as one page and the data dictionary. Runs first where nothing is published yet."""
    settings = prepare_to_write()
    if not settings.published.exists():
        context.invoke(run)
    from orchestration.lib.warehouse.documentation import write_dictionary, write_page

    print(f"dictionary  {write_dictionary(settings)}")
    print(f"page        {write_page(settings)}  (one file: open it in a browser, or put it on any web server)")


@main.command()
@_listening(port=8080)
def receiver(host: str, port: int) -> None:
    """Receive webhooks and keep them for the next run, until interrupted."""
    from orchestration.lib.receiver.server import serve

    serve(read_settings(), host, port)


@main.command()
@_listening(port=8000)
def page(host: str, port: int) -> None:
    """Serve the report page and the reports API, until interrupted.

    On an address that others reach it needs CONTACT_REPORTS_PAGE_PASSWORD.
    """
    from page.server import serve

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


def _summarise(settings: Settings, warnings: list[str]) -> None:
    """Print what is published, with the warnings of the run and those that last until somebody acts."""
    from orchestration.lib.monitoring.summary import print_summary

    if read_secrets().api_tokens:
        from orchestration.defs.respond_io import skipped_for_want_of_a_token

        warnings = [*warnings, *filter(None, [skipped_for_want_of_a_token()])]
    print_summary(settings, warnings, Console())
