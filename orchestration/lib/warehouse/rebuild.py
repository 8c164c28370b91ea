"""What a full rebuild changed: the days whose published events differ from those before."""

from datetime import date

import duckdb

from orchestration.lib.settings import DATABASE_NAME, Settings
from orchestration.lib.warehouse.published import attach_published

Days = dict[tuple[str, date], tuple[int, int]]
"""Workspace and local day → number of standing events, and their fingerprint."""

_AT_MOST = 20


def published_days(settings: Settings) -> Days | None:
    """The days of the publication. None when there is no publication that can be read."""
    try:
        with duckdb.connect() as connection:
            attach_published(connection, settings.published)
            rows = connection.execute(
                f"""
                select workspace_id, report_date, count(*), sum(hash(events))::varchar
                from {DATABASE_NAME}.marts.fct_contact_events as events group by all"""
            ).fetchall()
    except duckdb.Error:
        return None
    return {(workspace_id, day): (count, int(digest)) for workspace_id, day, count, digest in rows}


def describe_changes(before: Days | None, after: Days, first: date | None, last: date | None) -> list[str]:
    """Lines about the days that changed. Those from `first` to `last` are named, in each workspace's local days."""
    if before is None:
        return ["What was published before cannot be read: every day is new."]
    changed = sorted(day for day in before.keys() | after.keys() if before.get(day) != after.get(day))
    named = [day for day in changed if (first or date.min) <= day[1] <= (last or date.max)]
    lines = [
        f"{workspace_id} {day}: {before.get((workspace_id, day), (0, 0))[0]:,} events before, "
        f"{after.get((workspace_id, day), (0, 0))[0]:,} now"
        for workspace_id, day in named[:_AT_MOST]
    ]
    if len(named) > _AT_MOST:
        lines.append(f"and {len(named) - _AT_MOST:,} more")
    span = f"from {first or 'the first'} to {last or 'the last'}" if first or last else "in all"
    lines.append(f"days that changed {span}: {len(named):,}")
    if first or last:
        lines.append(f"days that changed outside of these: {len(changed) - len(named):,}")
    return lines
