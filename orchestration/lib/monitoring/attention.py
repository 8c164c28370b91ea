"""What needs somebody, in counts: nothing in it comes from a record, or from the name or the header of a file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestration.lib.monitoring.health import EXPORT_CHECKS, PUBLISHED_WITHIN, Health, read_health
from orchestration.lib.problems import Problem
from orchestration.lib.settings import NEWEST_EVENT_WITHIN, Settings
from orchestration.lib.warehouse.published import open_published

# The words of the report page, and what the days of a finding are.
_TITLES = {
    "report_log_gaps": ("Gaps in logs", "days of"),
    "cut_report_logs": ("Cut logs", "days of"),
    "refused_files": ("Refused files", "loaded"),
}


@dataclass(frozen=True)
class Attention:
    """Lines for people, by workspace and of all together."""

    up_to_date_at: datetime | None  # when a run last published, or found nothing new; None: no publication can be read
    of_all: Sequence[str]
    of_workspaces: Mapping[str, Sequence[str]]


def read_attention(settings: Settings, now: datetime) -> Attention:
    """What needs somebody now. A publication that is missing or damaged is a line of it, and no error."""
    try:
        health = read_health(settings)
    except Problem:
        return Attention(None, ["The publication cannot be read: `make status` says why"], {})
    if health.published_at is None:
        return Attention(None, ["Nothing is published yet"], {})
    by_workspace: dict[str, list[str]] = defaultdict(list)
    of_all = list(_of_runs(health, now))
    with open_published(settings.published) as connection:
        for check in EXPORT_CHECKS:
            counts = connection.execute(f"""
                select workspaces.workspace_id, count(*), min(first_date), max(last_date)
                from ({check.query}) as found
                left join reports.workspaces as workspaces on found.workspace_id = workspaces.workspace_id
                group by workspaces.workspace_id""").fetchall()  # noqa: S608 -- a query of the project
            title, what = _TITLES[check.view]
            for workspace_id, count, first, last in counts:
                # A finding lasts until somebody acts, so it may be older than the period of a digest.
                days = f"{first}" if first == last else f"{first} to {last}"
                line = f"{title}: {count:,}, {what} {days}, see quality.{check.view}"
                if workspace_id is None:
                    of_all.append(f"{line} (of workspaces that are not in workspaces.csv)")
                else:
                    by_workspace[workspace_id].append(line)
    return Attention(health.up_to_date_at, of_all, by_workspace)


def _of_runs(health: Health, now: datetime) -> list[str]:
    lines = []
    if stale := health.stale(now, PUBLISHED_WITHIN, NEWEST_EVENT_WITHIN).get("publication"):
        lines.append(stale[0].upper() + stale[1:])
    if health.last_run and health.last_run.problem:
        lines.append("The last run failed: `make status` says why")
    if health.unread_files:
        lines.append(f"Files that were not loaded: {len(health.unread_files):,}, see `make status`")
    return lines
