"""The summary at the end of a run: records by state, each workspace's last days, where to look next."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from orchestration.lib.monitoring.health import (
    EXPORT_CHECKS,
    PUBLISHED_WITHIN,
    Health,
    first_few,
    read_health,
)
from orchestration.lib.settings import NEWEST_EVENT_WITHIN, Settings
from orchestration.lib.text import printable, printable_lines
from orchestration.lib.warehouse.published import open_published

EXAMPLE_QUERY = "from reports.contacts_added_by_source where report_date = current_date - 1"

_RECORDS = """
    select
        coalesce(sum(records_landed), 0), coalesce(sum(records_standing), 0), coalesce(sum(records_superseded), 0),
        coalesce(sum(records_rejected), 0), coalesce(sum(records_ignored), 0)
    from quality.load_balance"""

_REASONS = "select reason, count(*) from quality.rejected_records group by reason order by count(*) desc, reason"

# Today in each workspace's zone and the six days before it.
_LAST_DAYS = """
    with last_days as (
        select workspace_id, workspace_name, timezone, timezone(timezone, now())::date as today from reports.workspaces
    )
    select
        workspace_name, timezone,
        coalesce(sum(contacts) filter (event_type = 'added'), 0),
        coalesce(sum(contacts) filter (event_type = 'connected'), 0),
        coalesce(sum(contacts) filter (event_type = 'deleted'), 0),
        coalesce(sum(contacts) filter (event_type = 'merged'), 0)
    from last_days
    left join marts.agg_contacts_daily as daily
        on daily.workspace_id = last_days.workspace_id and daily.report_date between today - 6 and today
    group by last_days.workspace_id, workspace_name, timezone
    order by last_days.workspace_id"""


# Checks whose findings last from run to run. Each summary has them, also where the run did not make the checks.
_STANDING = {
    "every_file_was_read",
    "every_workspace_has_a_token",
    "newest_event_is_recent",
    *(check.name for check in EXPORT_CHECKS),
}


def is_standing(check: str) -> bool:
    """Whether each summary includes what this check finds."""
    return check in _STANDING


def standing_warnings(health: Health, now: datetime) -> Iterator[str]:
    """Warnings that last until somebody acts."""
    yield from first_few(health.unread_files)
    for check in EXPORT_CHECKS:
        yield from first_few(health.exports[check.name], check.view)
    yield from health.stale(now, PUBLISHED_WITHIN, NEWEST_EVENT_WITHIN).values()


def print_summary(settings: Settings, warnings: list[str], console: Console) -> None:
    """Print the summary of the published file, with the warnings of the run and those that last."""
    warnings = [*warnings, *standing_warnings(read_health(settings), datetime.now(UTC))]
    with open_published(settings.published) as connection:
        records_by_state = connection.execute(_RECORDS).fetchall()[0]
        reasons = connection.execute(_REASONS).fetchall()
        last_days = connection.execute(_LAST_DAYS).fetchall()
    records = Table(title="Records", title_justify="left", show_edge=False)
    for heading in ("landed", "standing", "superseded", "rejected", "ignored"):
        records.add_column(heading, justify="right")
    records.add_row(*(f"{count:,}" for count in records_by_state))
    workspaces = Table(title="The last 7 days", title_justify="left", show_edge=False)
    workspaces.add_column("workspace")
    workspaces.add_column("time zone")
    for heading in ("added", "connected", "deleted", "merged"):
        workspaces.add_column(heading, justify="right")
    for name, zone, *counts in last_days:
        workspaces.add_row(Text(printable(name)), Text(printable(zone)), *(f"{count:,}" for count in counts))
    lines: list[Table | Text] = [Text(), records]
    if reasons:
        shown = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        lines.append(Text(f"rejected: {shown}. See quality.rejected_records", style="dim"))
    lines += [Text(), workspaces, Text()]
    console.print(Group(*lines))
    # As plain lines, so that they can be copied from a narrow terminal.
    for warning in warnings:
        console.print(Text(printable_lines(f"warning: {warning}"), style="yellow"), soft_wrap=True)
    console.print(f"published  {settings.published}", style="bold", soft_wrap=True, highlight=False, markup=False)
    console.print(f"query it   {query_command(settings.published)}", soft_wrap=True, highlight=False, markup=False)
    console.print("look at it make page, then http://127.0.0.1:8000", soft_wrap=True, highlight=False)
    if settings.is_sample:
        console.print(
            "This is the sample: nothing is configured. To load your own files, put them in "
            f"{settings.data / 'landing'} or set CONTACT_REPORTS_LANDING (docs/your-data.md).",
            style="yellow",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )


def new_rejects(settings: Settings) -> str:
    """The rejects that are new with the last publication, by workspace and reason."""
    with open_published(settings.published) as connection:
        found = connection.execute(
            """
            select format('{:,} of workspace {} ({})', record_count, workspace_id, reject_reason)
            from intermediate.int_reject_changes order by record_count desc, workspace_id, reject_reason"""
        ).fetchall()
    return f"new rejects: {', '.join(row[0] for row in found)}. See quality.rejected_records"


def query_command(published: Path) -> str:
    """A command line that asks the published file the example query, with what `make run` installed."""
    path = json.dumps(str(published), ensure_ascii=False)
    code = f'import duckdb; duckdb.connect({path}, read_only=True).sql("{EXAMPLE_QUERY}").show()'
    return f".venv/bin/python -c {shlex.quote(code)}"
