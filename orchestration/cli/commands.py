"""The commands of `python -m orchestration`, and of the Makefile."""

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console

from orchestration.cli.preparation import make_landing, noting_problems, prepare_to_write
from orchestration.cli.runs import execute
from orchestration.cli.runs import fetch as fetch_days
from orchestration.cli.terminal import console, output_in, showing_progress
from orchestration.lib.dbt.spark import require_installed, require_spark
from orchestration.lib.export.files import FORMATS
from orchestration.lib.lock import is_held, only_writer
from orchestration.lib.monitoring.attention import read_attention
from orchestration.lib.monitoring.health import PUBLISHED_WITHIN, note_run, read_health, shown
from orchestration.lib.monitoring.status import status_lines
from orchestration.lib.pipeline import check_landing, find_news
from orchestration.lib.problems import Problem
from orchestration.lib.progress import announce
from orchestration.lib.secrets import read_secrets
from orchestration.lib.settings import NEWEST_EVENT_WITHIN, Settings, read_settings
from orchestration.lib.text import printable
from publications.configured import configured
from publications.follow import behind, standings


class _Day(click.ParamType):
    """A day, as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is no day. Write it as YYYY-MM-DD, such as 2026-01-31", param, ctx)


_DATE = _Day()


@click.command()
def run() -> None:
    """Fetch, extract what is new, build, test, publish. Exit code 0 only if all of it was done."""
    settings = prepare_to_write()
    tokens = sorted(read_secrets().api_tokens)
    make_landing(settings)
    if settings.is_sample:
        console.print("No landing folder is configured: working on the project's own sample workspaces.")
    with showing_progress(), output_in(settings.data / "logs" / "run.log"):
        with noting_problems(settings):
            # Checked first: importing Dagster and dbt takes seconds, and fetching from the API may take hours.
            check_landing(settings)
            require_installed(settings)
        # A workspace whose fetch fails does not keep the others from being published.
        _, failures = fetch_days(settings, tokens)
        warnings = _publish_news(settings)
    _summarise(settings, warnings)
    if failures:
        raise Problem("; ".join(failures))


@click.command()
@click.option("--from", "first", type=_DATE, help="Say which days from this one on changed (local days).")
@click.option("--to", "last", type=_DATE, help="Say which days up to this one changed.")
def rebuild(first: date | None, last: date | None) -> None:
    """Rebuild everything from the raw zone, test, publish; say which days changed.

    A record's state may depend on records of any other day, so a range of days is no less work. All days are built;
    days that changed outside of the range are counted.
    """
    from orchestration.lib.warehouse.rebuild import describe_changes, published_days

    settings = prepare_to_write()
    with noting_problems(settings):
        require_spark(settings)
    before = published_days(settings)
    with showing_progress(), output_in(settings.data / "logs" / "run.log"):
        warnings = execute(settings, rebuild=True)
    _summarise(settings, warnings)
    after = published_days(settings) or {}
    for line in describe_changes(before, after, first, last):
        print(printable(line))


@click.command()
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


@click.command()
@click.option(
    "--print",
    "form",
    type=click.Choice(["text", "html"]),
    is_flag=False,
    flag_value="text",
    help="Print it as text, or as the HTML of its mail, and send nothing.",
)
@click.option(
    "--period",
    type=click.Choice(["day", "week", "month"]),
    help="The last complete one.  [default: that of CONTACT_REPORTS_DIGEST, else week]",
)
@click.option("--again", is_flag=True, help="Send it also to those who got it.")
def digest(form: str | None, period: str | None, again: bool) -> None:
    """Send the digest to those who have not got it. Exit code 0 only if all of them have it then."""
    from publications.digest.messages import html, plain_text
    from publications.digest.numbers import period_of, read_digest
    from publications.digest.sending import channels, send

    # What is wrong with the addresses is said first.
    configured_channels = [] if form else channels(read_settings(), read_secrets())
    settings = prepare_to_write()
    chosen = period or (period_of(settings.digest) if settings.digest else "week")
    now = datetime.now(UTC)
    found = read_digest(settings, chosen, now, read_attention(settings, now))
    if form:
        print(html(found) if form == "html" else plain_text(found), end="")
        return
    sent = send(settings.data, configured_channels, found, again=again)
    for line in sent or ["nothing to send: all recipients have it"]:
        print(printable(f"sent: {line}" if sent else line))


@click.command()
@click.option("--workspace", "workspace_id", required=True, metavar="ID", help="The workspace of the contact.")
@click.option("--contact", "contact_id", required=True, metavar="ID", help="The contact.")
def forget(workspace_id: str, contact_id: str) -> None:
    """Remove what identifies a contact from all that the project wrote, for good. Counts stay as they are.

    May be interrupted and repeated. The landing folder is not changed: what of it names the contact is listed.
    """
    from orchestration.lib.forgetting import forget as forget_contact
    from orchestration.lib.forgetting import loaded_records, merged_with, named_in_landing
    from orchestration.lib.raw_zone.forgotten import ForgottenContacts, contact_of

    settings, contact = prepare_to_write(), contact_of(workspace_id, contact_id)
    require_installed(settings)
    # The log does not name the contact.
    with showing_progress(), output_in(settings.data / "logs" / "run.log", "forget"):
        forgotten = forget_contact(settings, contact)
        _publish_news(settings)
    print(
        f"Contact {contact.contact_id} of {printable(contact.workspace_id)} is forgotten"
        f"{'' if forgotten.is_new else ', as it was before'}. Records masked now: {forgotten.masked:,}."
    )
    records = loaded_records(settings, contact)
    if not records:
        print(
            "No loaded record has this contact id. Later records with it will be masked. If the id is a typing error,"
            f" remove its line from {printable(str(ForgottenContacts(settings.raw).path))} and run `make run`."
        )
    if others := merged_with(settings, contact):
        print(f"It was merged with {', '.join(others)}. Is it the same person? Then forget that one too.")
    if named := named_in_landing(settings, contact, records):
        print(f"These files of {settings.landing_url} still name it. Remove the lines, or the files:")
        for line in named:
            print(f"  {printable(line)}")


@click.command()
@click.argument("name")
@click.option("--rows", type=click.IntRange(min=1), default=20, show_default=True, help="How many rows to show.")
def model(name: str, rows: int) -> None:
    """Build a model that you edited, its tests and what depends on it in a scratch copy, and show some rows."""
    from orchestration.lib.warehouse.preview import preview

    print(preview(prepare_to_write(), name, rows))


@click.command()
@click.option("--workspace", "workspace_ids", multiple=True, metavar="ID", help="Only this one; may be repeated.")
@click.option("--from", "first", type=_DATE, help="The first day (UTC).  [default: where the last fetch ended]")
@click.option("--to", "last", type=_DATE, help="The last day (UTC).  [default: today]")
def fetch(workspace_ids: Sequence[str], first: date | None, last: date | None) -> None:
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
        lines, failures = fetch_days(settings, sorted(workspace_ids or tokens), first, last)
    for line in lines:
        print(printable(line))
    if failures:
        raise Problem("; ".join(failures))


@click.command()
@click.argument("view")
@click.option("--from", "first", type=_DATE, help="The first day.")
@click.option("--to", "last", type=_DATE, help="The last day.")
@click.option("--format", "file_format", type=click.Choice(FORMATS), help="[default: by the ending of --out, or csv]")
@click.option("--out", type=click.Path(path_type=Path), help="The file.  [default: in the folder exports of the data]")
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="A filter; may be repeated.")
def export(
    view: str,
    first: date | None,
    last: date | None,
    file_format: str | None,
    out: Path | None,
    filters: Sequence[str],
) -> None:
    """Write a view or table function of the publication as a file for a spreadsheet program, or as Parquet.

    Filters are the parameters of a table function, and the columns of a view.
    """
    from orchestration.lib.export.export import Wanted, export

    for text in filters:
        if "=" not in text:
            raise Problem(f"The filter {text!r} has no value", "Write it as name=value, such as source=user")
    pairs = [(name, value) for name, _, value in (text.partition("=") for text in filters)]
    with showing_progress():
        files = export(read_settings(), Wanted(view, first, last, pairs, file_format, out))
    for path in files:
        print(printable(str(path)))


@click.command()
@click.pass_context
def docs(context: click.Context) -> None:
    """Write dbt's documentation as one page and the data dictionary. Runs first where nothing is published yet."""
    settings = prepare_to_write()
    if not settings.published.exists():
        context.invoke(run)
    from orchestration.lib.warehouse.documentation import write_dictionary, write_page

    print(f"dictionary  {write_dictionary(settings)}")
    print(f"page        {write_page(settings)}  (one file: open it in a browser, or put it on any web server)")


@click.command()
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
    """Show the last run and what is published. Exit code 0 only if nothing is stale and no publication is behind."""
    settings = read_settings()
    now, health = datetime.now(UTC), read_health(settings)
    # A run that is under way publishes at its end, if the place can be reached. Asked first: the run may end meanwhile.
    under_way = is_held(settings.data)
    publications = standings(settings, configured(settings))
    late = [one for one in publications if one.behind and (one.is_away or not under_way)]
    limits = timedelta(hours=published_within), timedelta(hours=newest_event_within)
    for line in status_lines(health, now, *limits):
        print(printable(line))
    for one in publications:
        made = f"published {shown(one.published_at)}" if one.published_at else "never published"
        print(printable(f"{one.publication.name:<14}{made}, {one.publication.place}"))
    for one in late:
        print(printable(f"BEHIND        {one.publication.name}: {one.behind}"))
    if any(not one.is_away for one in late):
        print("              `make run` publishes what is behind")
    if health.stale(now, *limits) or late:
        sys.exit(1)


def _publish_news(settings: Settings) -> list[str]:
    """Run the job if something is new, or its part that is behind. Returns the warnings of the run."""
    with noting_problems(settings):
        news = find_news(settings)
        if news:
            require_spark(settings)
    if news:
        return execute(settings)
    publications = configured(settings)
    if late := behind(settings, publications):
        for one in late:
            announce(f"no new data; publishing {one.publication.name}: {one.behind}")
        return execute(settings, publications=[one.publication for one in late])
    with only_writer(settings.data):
        note_run(settings.data, problem=None)
    announce(f"no new data; up to date: {', '.join(['published file', *(one.name for one in publications)])}")
    return []


def _summarise(settings: Settings, warnings: list[str]) -> None:
    """Print what is published, with the warnings of the run and those that last until somebody acts."""
    from orchestration.lib.monitoring.summary import print_summary

    if read_secrets().api_tokens:
        from orchestration.defs.respond_io import skipped_for_want_of_a_token

        warnings = [*warnings, *filter(None, [skipped_for_want_of_a_token()])]
    print_summary(settings, warnings, Console())
