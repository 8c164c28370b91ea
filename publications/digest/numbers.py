"""The numbers of a digest: of each workspace's last complete period and the one before, by SQL on the published file.

No name and no id of a contact is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Protocol

import duckdb

from orchestration.lib.settings import NEWEST_EVENT_WITHIN, Settings
from orchestration.lib.warehouse.published import open_published

# Of each workspace the period that ended before its today, and the one before.
_WORKSPACES = """
    with started as (
        select workspace_id, date_trunc($period, start_date)::date as next_start
        from reports.date_ranges_at($now)
        where date_range = 'today'
    ),

    periods as (
        select
            workspace_id,
            date_trunc($period, next_start - 1)::date as start_date,
            next_start - 1 as end_date,
            date_trunc($period, date_trunc($period, next_start - 1)::date - 1)::date as start_date_before
        from started
    ),

    newest as (
        select workspace_id, max(last_event_at) as newest_event_at
        from reports.data_status
        group by workspace_id
    ),

    provisional as (
        select periods.workspace_id, count(distinct report_date) as provisional_days
        from periods
        inner join marts.agg_provisional_days as days
            on periods.workspace_id = days.workspace_id and days.report_date between start_date and end_date
        group by periods.workspace_id
    )

    select
        workspace_id,
        workspace_name,
        timezone,
        start_date,
        end_date,
        start_date_before,
        start_date - 1 as end_date_before,
        timezone(timezone, $up_to_date_at)::date <= end_date as is_incomplete,
        timezone(timezone, newest_event_at) as newest_event_local,
        newest_event_at < $fresh_since as is_quiet,
        coalesce(provisional_days, 0) as provisional_days
    from reports.workspaces
    inner join periods using (workspace_id)
    left join newest using (workspace_id)
    left join provisional using (workspace_id)
    order by lower(workspace_name), workspace_id"""

# Both periods are asked for as such: a month is compared with all days of the month before, also where it has more.
_FIGURES = """
    with counted as (
        select metric, this.contacts, earlier.contacts as contacts_before
        from reports.contacts_compared_between($start_date, $end_date, workspace_id := $workspace_id) as this
        inner join reports.contacts_compared_between(
            $start_date_before, $end_date_before, workspace_id := $workspace_id
        ) as earlier using (metric)
        union all
        select
            'net_growth',
            coalesce(sum(net_growth) filter (where report_date >= $start_date), 0)::bigint,
            coalesce(sum(net_growth) filter (where report_date < $start_date), 0)::bigint
        from reports.contacts_net_growth
        where workspace_id = $workspace_id and report_date between $start_date_before and $end_date
    )

    select
        metric,
        contacts,
        contacts_before,
        contacts - contacts_before as difference,
        case when contacts_before > 0 then 100 * (contacts - contacts_before)::double / contacts_before end as percent
    from counted
    order by list_position(
        ['contacts_added', 'contacts_connected', 'contacts_deleted', 'contacts_merged', 'net_growth'], metric
    )"""

_REJECTS = """
    select reason, count(*) as records
    from quality.rejected_records
    where workspace_id = $workspace_id and timezone($timezone, loaded_at)::date between $start_date and $end_date
    group by reason
    order by records desc, reason"""

_REJECTS_ELSEWHERE = """
    select count(*)
    from quality.rejected_records
    where
        loaded_at >= date_trunc($period, date_trunc($period, $now::timestamptz) - interval 1 day)
        and loaded_at < date_trunc($period, $now::timestamptz)
        and workspace_id not in (select workspace_id from reports.workspaces)"""


class Attention(Protocol):
    """What needs somebody, in lines for people, of all workspaces together and by workspace."""

    @property
    def up_to_date_at(self) -> datetime | None:
        """When a run last published or found nothing new. None: there is no publication that can be read."""

    @property
    def of_all(self) -> Sequence[str]: ...

    @property
    def of_workspaces(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True)
class Figure:
    """A metric of both periods, and its change. The change in percent is None where there was nothing before."""

    metric: str
    contacts: int
    contacts_before: int
    difference: int
    percent: float | None


@dataclass(frozen=True)
class WorkspaceNumbers:
    """The numbers of a workspace, and what needs somebody there."""

    workspace_id: str
    name: str
    start: date
    end: date
    start_before: date
    end_before: date
    figures: Sequence[Figure]
    needs: Sequence[str]


@dataclass(frozen=True)
class Digest:
    """A digest. Without a publication that can be read it has no workspaces, and its needs say so."""

    period: str  # day, week or month
    ends: Mapping[str, date]  # the last day by workspace; of the digest itself, by '', where it has no workspaces
    workspaces: Sequence[WorkspaceNumbers] = ()
    needs: Sequence[str] = ()
    page_url: str | None = None

    def only(self, ids: frozenset[str]) -> "Digest":
        """The digest of some of its workspaces."""
        kept = [workspace for workspace in self.workspaces if workspace.workspace_id in ids]
        return replace(self, workspaces=kept, ends={key: end for key, end in self.ends.items() if key in ids})


def period_of(cron: str) -> str:
    """The period of a schedule: a week on one day of the week, a month on one day of the month, else a day."""
    if cron.startswith("@"):
        return {"@weekly": "week", "@monthly": "month"}.get(cron, "day")
    day_of_month, _, day_of_week = cron.split()[2:5]
    if day_of_month == "*" and day_of_week.isalnum():
        return "week"
    return "month" if day_of_month.isalnum() and day_of_week == "*" else "day"


def read_digest(settings: Settings, period: str, now: datetime, attention: Attention) -> Digest:
    """The digest of the last complete periods. Without a publication that can be read it says so."""
    if attention.up_to_date_at is None:
        return _without_numbers(period, now, attention.of_all)
    needs, of_workspaces = list(attention.of_all), attention.of_workspaces
    with open_published(settings.published) as connection:
        values = {
            "period": period,
            "now": now,
            "up_to_date_at": attention.up_to_date_at,
            "fresh_since": now - NEWEST_EVENT_WITHIN,
        }
        workspaces = [
            _numbers(connection, row, of_workspaces.get(row["workspace_id"], ()))
            for row in _rows(connection, _WORKSPACES, values)
        ]
        (elsewhere,) = connection.execute(_REJECTS_ELSEWHERE, {"period": period, "now": now}).fetchall()[0]
    if elsewhere:
        needs.append(
            f"Rejected records of the period: {elsewhere:,} of workspaces that are not in workspaces.csv, "
            "see quality.rejected_records"
        )
    if not workspaces:
        return _without_numbers(period, now, [*needs, "No workspace is listed in workspaces.csv"])
    return Digest(period, {one.workspace_id: one.end for one in workspaces}, workspaces, needs, settings.page_url)


def _without_numbers(period: str, now: datetime, needs: Sequence[str]) -> Digest:
    """The digest that says why there are no numbers. Its period is that of UTC."""
    with duckdb.connect() as connection:
        (end,) = connection.execute(
            "select date_trunc(?, ?::date)::date - 1", [period, now.astimezone(UTC).date()]
        ).fetchall()[0]
    return Digest(period, {"": end}, needs=needs)


def _numbers(connection: duckdb.DuckDBPyConnection, row: Mapping[str, Any], needs: Sequence[str]) -> WorkspaceNumbers:
    dates = {name: row[name] for name in ("start_date", "end_date", "start_date_before", "end_date_before")}
    values = {"workspace_id": row["workspace_id"], **dates}
    rejects = _rows(
        connection,
        _REJECTS,
        {name: row[name] for name in ("workspace_id", "timezone", "start_date", "end_date")},
    )
    return WorkspaceNumbers(
        row["workspace_id"],
        row["workspace_name"],
        row["start_date"],
        row["end_date"],
        row["start_date_before"],
        row["end_date_before"],
        [Figure(**figure) for figure in _rows(connection, _FIGURES, values)],
        [*_warnings(row), *_of_rejects(rejects), *needs],
    )


def _warnings(row: Mapping[str, Any]) -> Iterator[str]:
    """What makes the numbers themselves doubtful."""
    if row["is_incomplete"]:
        yield "Incomplete: no run has succeeded since the period ended"
    if row["newest_event_local"] is None:
        yield "No event is loaded yet"
    elif row["is_quiet"]:
        yield f"No event after {row['newest_event_local']:%Y-%m-%d %H:%M}"
    if row["provisional_days"]:
        yield f"Provisional days: {row['provisional_days']}, their numbers may still change"


def _of_rejects(rejects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if rejects:
        reasons = ", ".join(f"{reject['records']:,} {reject['reason']}" for reject in rejects)
        yield f"Rejected records of the period: {reasons}, see quality.rejected_records"


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, dict(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
