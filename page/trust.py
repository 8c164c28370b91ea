"""Whether the numbers can be trusted: how new they are, and what is missing, refused or provisional."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from orchestration.lib.settings import NEWEST_EVENT_WITHIN
from page.calls import Query
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
    where workspace_id = $workspace_id and report_date between $start_date and $end_date"""

_COUNTS = {
    "rejected_records": "select count(*) as number from quality.rejected_records where workspace_id = ?",
    "refused_files": "select count(*) as number from quality.refused_files where workspace_id = ?",
    "report_log_gaps": """
        select count(*) as number from quality.report_log_gaps where workspace_id = ? and certainty = 'certain'""",
    "cut_report_logs": "select count(*) as number from quality.cut_report_logs where workspace_id = ?",
}


@dataclass(frozen=True)
class Trust:
    """The state of the data of a workspace. Wall clocks are those of the workspace; None where nothing is loaded."""

    as_of_local: datetime | None
    since: datetime | None
    newest_event_local: datetime | None
    newest_event: datetime | None
    findings: dict[str, int]  # by the view of schema quality whose rows they are; none is 0

    def is_stale(self, now: datetime) -> bool:
        """Whether the newest event is old, so that something may be missing."""
        return self.newest_event is not None and now - self.newest_event > NEWEST_EVENT_WITHIN


def read_trust(reader: Reader, workspace: str) -> Trust:
    """The state of the data of a workspace, read once for each publication."""
    return reader.once(f"trust {workspace}", lambda reader: _read(reader, workspace))


def read_as_of(reader: Reader) -> datetime | None:
    """When the newest of the data was loaded, in UTC."""

    def read(reader: Reader) -> datetime | None:
        as_of = reader.rows("select max(last_loaded_at) as as_of from reports.data_status")[0]["as_of"]
        return as_of.astimezone(UTC) if as_of else None

    return reader.once("as of", read)


def provisional_days(workspace: str, start: date, end: date) -> Query:
    """The days of a range of which only webhooks and the API tell."""
    return Query(_PROVISIONAL_DAYS, {"workspace_id": workspace, "start_date": start, "end_date": end})


def _read(reader: Reader, workspace: str) -> Trust:
    status = reader.rows(_STATUS, [workspace])[0]
    counts = {view: reader.rows(query, [workspace])[0]["number"] for view, query in _COUNTS.items()}
    return Trust(
        as_of_local=status["as_of_local"],
        since=status["since"],
        newest_event_local=status["newest_event_local"],
        newest_event=status["newest_event"],
        findings={view: number for view, number in counts.items() if number},
    )
