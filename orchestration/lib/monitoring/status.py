"""What `status` prints: last run, publication, newest event, rejects, and files that need attention."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestration.lib.monitoring.health import EXPORT_CHECKS, Health, shown


def status_lines(
    health: Health, now: datetime, published_within: timedelta, newest_event_within: timedelta
) -> Iterator[str]:
    """The lines of the status. What is stale comes last."""
    yield f"last run      {health.last_run.in_words if health.last_run else 'none is known'}"
    if health.published_at is not None and health.up_to_date_at is not None:
        made, seen = shown(health.published_at), shown(health.up_to_date_at)
        yield f"published     {made}" + (f", found up to date {seen}" if seen != made else "")
        yield f"newest event  {shown(health.newest_event_at) if health.newest_event_at else 'none'}"
        yield f"records       {health.records_landed:,} landed, {health.records_standing:,} standing"
        yield f"rejects       {sum(health.rejects.values()):,}"
        for group, count in health.rejects.items():
            yield f"              {count:,} in {group}"
    for path in health.beside:
        yield f"beside        {path}: a program wrote into the published file and was ended, and readers see what it"
        yield "              wrote; the next run removes it"
    yield from _findings("unread files", health.unread_files)
    for check in EXPORT_CHECKS:
        yield from _findings(check.label, health.exports[check.name])
    for line in health.stale(now, published_within, newest_event_within).values():
        yield f"STALE         {line}"


def _findings(label: str, found: list[str]) -> Iterator[str]:
    if found:
        yield f"{label:<14}{len(found):,}"
        yield from (f"              {line}" for line in found)
