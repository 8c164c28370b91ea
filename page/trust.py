"""The state of the data: its freshness, and what is missing, rejected or provisional."""

from dataclasses import dataclass
from datetime import date, datetime

from orchestration.lib.settings import NEWEST_EVENT_WITHIN
from page.findings import attention
from page.publication import Reader

_STATUS = """
    select
        min(status.first_event_at at time zone workspaces.timezone) as since,
        max(status.last_event_at) as newest_event,
        max(status.last_event_at at time zone workspaces.timezone) as newest_event_local,
        max(status.last_loaded_at at time zone workspaces.timezone) as as_of_local
    from reports.data_status as status
    inner join reports.workspaces as workspaces on status.workspace_id = workspaces.workspace_id
    where status.workspace_id = ?"""

_PROVISIONAL_DAYS = """
    select distinct report_date
    from marts.agg_provisional_days
    where workspace_id = ?"""


@dataclass(frozen=True)
class Trust:
    """The state of the data of a workspace. `_local` is the time of the workspace. None: nothing is loaded."""

    as_of_local: datetime | None
    since: datetime | None
    newest_event_local: datetime | None
    newest_event: datetime | None
    findings: dict[str, int]  # the number of rows by data quality view, without zeros

    def is_stale(self, now: datetime) -> bool:
        """Whether the newest event is old, so that something may be missing."""
        return self.newest_event is not None and now - self.newest_event > NEWEST_EVENT_WITHIN


def read_trust(reader: Reader, workspace: str) -> Trust:
    """The state of the data of a workspace, read once for each publication."""
    return reader.once_per_publication(f"trust {workspace}", lambda reader: _read(reader, workspace))


def read_as_of(reader: Reader) -> datetime | None:
    """When the newest data was loaded."""

    def read(reader: Reader) -> datetime | None:
        as_of: datetime | None = reader.rows("select max(last_loaded_at) as as_of from reports.data_status")[0]["as_of"]
        return as_of

    return reader.once_per_publication("as of", read)


def provisional_days(reader: Reader, workspace: str) -> frozenset[date]:
    """The provisional days of a workspace, read once for each publication: only webhooks and the API report them."""

    def read(reader: Reader) -> frozenset[date]:
        return frozenset(row["report_date"] for row in reader.rows(_PROVISIONAL_DAYS, [workspace]))

    return reader.once_per_publication(f"provisional {workspace}", read)


def _read(reader: Reader, workspace: str) -> Trust:
    status = reader.rows(_STATUS, [workspace])[0]
    counts = {view: query.rows(reader)[0]["number"] for view, query in attention(workspace).items()}
    return Trust(
        as_of_local=status["as_of_local"],
        since=status["since"],
        newest_event_local=status["newest_event_local"],
        newest_event=status["newest_event"],
        findings={view: number for view, number in counts.items() if number},
    )
