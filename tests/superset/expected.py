"""What the charts of the dashboard have to show, by the reports of the published file."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

Rows = list[tuple[object, ...]]
EVENTS = ("added", "connected", "deleted", "merged")


@dataclass(frozen=True)
class Choice:
    """What is chosen on the dashboard, as the table functions take it."""

    workspace_id: str | None
    start: date
    end: date
    frequency: str = "day"
    user_ids: list[str] | None = None
    sources: list[str] | None = None
    contact_ids: list[int] | None = None
    channel_ids: list[str] | None = None


class Reports:
    """The reports of a published file under a choice."""

    def __init__(self, published: duckdb.DuckDBPyConnection, choice: Choice) -> None:
        self._published, self._choice = published, choice

    def _ask(self, columns: str, function: str, more: str = "", *, frequency: str | None = None) -> Rows:
        choice = self._choice
        arguments: dict[str, Any] = {
            "workspace_id": choice.workspace_id,
            "user_ids": choice.user_ids,
            "sources": choice.sources,
            "contact_ids": choice.contact_ids,
        }
        if "connected" in function:
            arguments["channel_ids"] = choice.channel_ids
        if "log" not in function and "compared" not in function:
            arguments["frequency"] = frequency or choice.frequency
        given = ", ".join(f"{name} := ${name}" for name in arguments)
        query = f"select {columns} from reports.{function}($start_date, $end_date, {given}) {more}"
        bound = {"start_date": choice.start, "end_date": choice.end, **arguments}
        return self._published.execute(query, bound).fetchall()

    def metric(self, event: str) -> Rows:
        return self._ask(f"contacts_{event}", "contacts_overview_between", frequency="total")

    def change(self) -> Rows:
        """Superset has no row where nothing happened on the chosen days."""
        return self._ask(
            "replace(metric, 'contacts_', ''), contacts, nullif(contacts_before, 0)",
            "contacts_compared_between",
            "where contacts > 0 order by 1",
        )

    def overview(self) -> Rows:
        rows: Rows = []
        for event in ("added", "deleted", "merged"):
            columns = f"period_start, 'contacts_{event}', contacts_{event}"
            rows += self._ask(columns, "contacts_overview_between", f"where contacts_{event} > 0")
        return sorted(rows)

    def breakdown(self, event: str, label: str, *, frequency: str | None = None) -> Rows:
        return self._ask(
            f"period_start, {label}, sum(contacts_{event})::bigint",
            f"contacts_{event}_between",
            "group by all order by all",
            frequency=frequency,
        )

    def parts(self, event: str, label: str) -> Rows:
        """Labels with their number and their part of all."""
        rows = [(name, count) for _, name, count in self.breakdown(event, label, frequency="total")]
        total = sum(count for _, count in rows if isinstance(count, int))
        return [(name, count, round(count / total, 12)) for name, count in rows if isinstance(count, int)]

    def log(self, event: str, columns: list[str], limit: int) -> tuple[Rows, int]:
        """The newest rows, and how many there are."""
        names = ", ".join(columns)
        if event == "merged":
            names = names.replace("contact_id", "primary_contact_id", 1)
        function = f"contacts_{event}_log_between"
        rows = self._ask(names, function, f"order by occurred_at desc, event_id limit {limit}")
        ((count,),) = self._ask("count(*)", function)
        assert isinstance(count, int)
        return rows, count


def day(milliseconds: float) -> date:
    """The day of a time as Superset's answers have it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def chosen_days(answer: dict[str, Any]) -> tuple[date, date]:
    """The first and the last day that a chart's answer is about."""
    return day(answer["from_dttm"]), day(answer["to_dttm"]) - timedelta(days=1)
