"""Reckons in plain Python what the parameterised reports and the date ranges say, from the rows of the four logs."""

from __future__ import annotations

import calendar
import statistics
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
EVENT_TYPES = ("added", "connected", "deleted", "merged")
DAY = timedelta(days=1)

COMPONENTS = {
    "overview_added": ("added",),
    "overview_deleted": ("deleted",),
    "overview_merged": ("merged",),
    "overview_bar_chart": ("added", "deleted", "merged"),
    "added_metric": ("added",),
    "added_bar_chart": ("added",),
    "added_donut": ("added",),
    "connected_metric": ("connected",),
    "connected_bar_chart": ("connected",),
    "connected_donut": ("connected",),
    "added_log": ("added",),
    "connected_log": ("connected",),
    "deleted_log": ("deleted",),
    "merged_log": ("merged",),
}
METRICS = ("overview_added", "overview_deleted", "overview_merged", "added_metric", "connected_metric")


@dataclass(frozen=True)
class Filters:
    """The arguments that the parameterised reports share; None is no filter."""

    start_date: date
    end_date: date
    workspace_id: str | None = None
    user_ids: Sequence[str] | None = None
    sources: Sequence[str] | None = None
    contact_ids: Sequence[int] | None = None
    channel_ids: Sequence[str | None] | None = None
    contact_name: str | None = None

    def match(self, event: Row) -> bool:
        """Whether an event counts, its day included."""
        return self.start_date <= event["report_date"] <= self.end_date and self.match_any_date(event)

    def match_any_date(self, event: Row) -> bool:
        """Whether an event counts, whatever its day."""
        contacts = {event.get(name) for name in ("contact_id", "primary_contact_id", "merged_contact_id")}
        return (
            (self.workspace_id is None or event["workspace_id"] == self.workspace_id)
            and (self.user_ids is None or event["user_id"] in self.user_ids)
            and (self.sources is None or event["source"] in self.sources)
            and (self.contact_ids is None or not contacts.isdisjoint(self.contact_ids))
            and (self.channel_ids is None or event.get("channel_id") in self.channel_ids)
            and (self.contact_name is None or is_in_name(self.contact_name, event["contact_name"]))
        )

    def refused(self, workspaces: Collection[str], sources: Collection[str]) -> str | None:
        """The first parameter whose value is an error, None where all are right."""
        if self.start_date > self.end_date:
            return "start_date"
        if self.workspace_id is not None and self.workspace_id not in workspaces:
            return "workspace_id"
        if self.sources is not None and not set(self.sources) <= set(sources):
            return "sources"
        return None

    def compared_with(self, other: str) -> Filters:
        """The same filters on the range that this one is compared with."""
        if other == "preceding":
            days = self.end_date - self.start_date + DAY
            return replace(self, start_date=self.start_date - days, end_date=self.start_date - DAY)
        return replace(self, start_date=earlier(self.start_date, other), end_date=earlier(self.end_date, other))


def is_in_name(text: str, name: str | None) -> bool:
    """Whether a contact's name contains a text, both in plain letters. An empty text is no filter.

    A text of accents alone has no plain letters, and no name contains it.
    """
    return not text or (name is not None and plain(text) != "" and plain(text) in plain(name))


# What has no accent to take off, but is looked for without its stroke, dot or ligature.
WITHOUT_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})


def plain(text: str) -> str:
    """The text after full case folding and canonical decomposition, without U+0300 to U+036F and strokes."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in decomposed if not "\u0300" <= sign <= "\u036f").translate(WITHOUT_STROKES)


def period_of(day: date, frequency: str, start_date: date) -> date:
    """The first day of the period that a day lies in."""
    return {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "total": start_date,
    }[frequency]


def earlier(day: date, unit: str) -> date:
    """The same day a week, a month or a year earlier, the month's last where it has no such day."""
    if unit == "week":
        return day - 7 * DAY
    months = 12 * day.year + day.month - 1 - {"month": 1, "year": 12}[unit]
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def days_of(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


class Reports:
    """The reports on standing events: the rows of the four logs, by type of event."""

    def __init__(self, logs: Mapping[str, list[Row]]) -> None:
        self.logs = logs

    def _matching(self, event_type: str, filters: Filters) -> list[Row]:
        return [event for event in self.logs[event_type] if filters.match(event)]

    def overview_between(self, filters: Filters, frequency: str) -> list[Row]:
        """A row for each period that has a day between the dates."""
        start = filters.start_date
        counts: Counter[tuple[date, str]] = Counter()
        for event_type in ("added", "deleted", "merged"):
            for event in self._matching(event_type, filters):
                counts[period_of(event["report_date"], frequency, start), event_type] += 1
        periods = {period_of(day, frequency, start) for day in days_of(start, filters.end_date)}
        return [
            {"period_start": period}
            | {f"contacts_{event_type}": counts[period, event_type] for event_type in ("added", "deleted", "merged")}
            for period in periods
        ]

    def added_between(self, filters: Filters, frequency: str) -> list[Row]:
        """A row for each period and source with a contact."""
        return self._shares(
            "added",
            filters,
            frequency,
            lambda event: (event["source"], event["source_label"]),
            ("source", "source_label"),
        )

    def connected_between(self, filters: Filters, frequency: str) -> list[Row]:
        """A row for each period and channel of a workspace with a contact."""
        names = ("workspace_id", "channel_id", "channel_name")
        return self._shares("connected", filters, frequency, lambda event: tuple(event[name] for name in names), names)

    def _shares(
        self,
        event_type: str,
        filters: Filters,
        frequency: str,
        group_of: Callable[[Row], tuple[Any, ...]],
        names: tuple[str, ...],
    ) -> list[Row]:
        counts: Counter[tuple[Any, ...]] = Counter()
        totals: Counter[date] = Counter()
        for event in self._matching(event_type, filters):
            period = period_of(event["report_date"], frequency, filters.start_date)
            counts[period, *group_of(event)] += 1
            totals[period] += 1
        return [
            {"period_start": period}
            | dict(zip(names, group, strict=True))
            | {f"contacts_{event_type}": count, "percentage": 100 * count / totals[period]}
            for (period, *group), count in counts.items()
        ]

    def log_between(self, event_type: str, filters: Filters) -> list[Row]:
        """The rows of a log that match."""
        return self._matching(event_type, filters)

    def compared_between(self, filters: Filters, compared_with: str = "preceding") -> list[Row]:
        """A row for each metric that the filters apply to."""
        rows = []
        filters_before = filters.compared_with(compared_with)
        for event_type in EVENT_TYPES if filters.channel_ids is None else ("connected",):
            now = len(self._matching(event_type, filters))
            before = len(self._matching(event_type, filters_before))
            rows.append(
                {
                    "metric": f"contacts_{event_type}",
                    "contacts": now,
                    "contacts_before": before,
                    "difference": now - before,
                    "percent": 100 * (now - before) / before if before else None,
                    "start_date_before": filters_before.start_date,
                    "end_date_before": filters_before.end_date,
                }
            )
        return rows

    def component_states(self, filters: Filters) -> list[Row]:
        """A row for each component, without the reason.

        A metric counts zero from the workspace's first event on. For a name, no day but those asked for is looked at.
        """
        rows = []
        days = [
            event["report_date"]
            for log in self.logs.values()
            for event in log
            if filters.workspace_id in (None, event["workspace_id"])
        ]
        has_begun = bool(days) and min(days) <= filters.end_date
        for component, event_types in COMPONENTS.items():
            events = [event for kind in event_types for event in self.logs[kind] if filters.match_any_date(event)]
            state, first_date = "ok", None
            if filters.channel_ids is not None and event_types != ("connected",):
                state = "not_applicable"
            elif not any(filters.match(event) for event in events) and not (has_begun and component in METRICS):
                state = "no_data"
                if not filters.contact_name:
                    first_date = min((event["report_date"] for event in events), default=None)
            rows.append({"component": component, "state": state, "first_date_with_data": first_date})
        return rows

    def net_growth(self) -> list[Row]:
        """A row for each day of a workspace, from its first event to its last."""
        days: dict[str, list[date]] = defaultdict(list)
        for event_type in EVENT_TYPES:
            for event in self.logs[event_type]:
                days[event["workspace_id"]].append(event["report_date"])
        rows = []
        for workspace_id, active_days in days.items():
            running_total, gone = 0, self._gone(workspace_id)
            first, last = min(active_days), max(active_days)
            counts = {
                row["period_start"]: row for row in self.overview_between(Filters(first, last, workspace_id), "day")
            }
            for day in days_of(first, last):
                row = counts[day]
                net_growth = row["contacts_added"] - gone[day]
                running_total += net_growth
                rows.append(
                    {"workspace_id": workspace_id, "report_date": row.pop("period_start")}
                    | row
                    | {"net_growth": net_growth, "running_total": running_total}
                )
        return rows

    def net_growth_between(self, filters: Filters, frequency: str) -> list[Row]:
        """A row for each period that has a day between the dates, of one workspace or of all together."""
        days = [row for row in self.net_growth() if filters.workspace_id in (None, row["workspace_id"])]
        rows = []
        for overview in self.overview_between(Filters(filters.start_date, filters.end_date), frequency):
            period = overview["period_start"]
            within = [
                row
                for row in days
                if filters.start_date <= row["report_date"] <= filters.end_date
                and period_of(row["report_date"], frequency, filters.start_date) == period
            ]
            last = max(
                day
                for day in days_of(filters.start_date, filters.end_date)
                if period_of(day, frequency, filters.start_date) == period
            )
            added, growth = (sum(row[name] for row in within) for name in ("contacts_added", "net_growth"))
            rows.append(
                {
                    "period_start": period,
                    "contacts_added": added,
                    "contacts_gone": added - growth,
                    "net_growth": growth,
                    "running_total": sum(row["net_growth"] for row in days if row["report_date"] <= last),
                }
            )
        return rows

    def time_to_connect_between(self, filters: Filters) -> list[Row]:
        """The rows of the months that have a day between the dates."""
        first, last = (day.replace(day=1) for day in (filters.start_date, filters.end_date))
        return [
            row
            for row in self.time_to_connect()
            if first <= row["month_start"] <= last and filters.workspace_id in (None, row["workspace_id"])
        ]

    def _gone(self, workspace_id: str) -> Counter[date]:
        """How many contacts were first deleted or merged away on each day; of an unknown one each merge counts."""
        days: dict[object, date] = {}
        for event_type, contact in (("deleted", "contact_id"), ("merged", "merged_contact_id")):
            for event in self.logs[event_type]:
                if event["workspace_id"] == workspace_id:
                    key = event[contact] if event[contact] is not None else ("unknown", event["event_id"])
                    days[key] = min(days.get(key, event["report_date"]), event["report_date"])
        return Counter(days.values())

    def lifecycle(self) -> list[Row]:
        """A row for each contact, but for its name and what became of it, which `dim_contact` says."""
        contacts: dict[tuple[str, int], Row] = {}
        for event_type, names in {
            "added": ["contact_id"],
            "connected": ["contact_id"],
            "deleted": ["contact_id"],
            "merged": ["primary_contact_id", "merged_contact_id"],
        }.items():
            for event in self.logs[event_type]:
                for contact_id in filter(None, (event[name] for name in names)):
                    contacts.setdefault((event["workspace_id"], contact_id), defaultdict(lambda: None))
        for event in self.logs["added"]:
            contacts[event["workspace_id"], event["contact_id"]] |= {
                "source": event["source"],
                "added_at": event["occurred_at"],
            }
        for event in self.logs["connected"]:
            contact = contacts[event["workspace_id"], event["contact_id"]]
            contact["first_connected_at"] = min(
                contact["first_connected_at"] or event["occurred_at"], event["occurred_at"]
            )
        for event in self.logs["deleted"]:
            contacts[event["workspace_id"], event["contact_id"]]["deleted_at"] = event["occurred_at"]
        for event in self.logs["merged"]:
            if event["merged_contact_id"] is not None:
                contact = contacts[event["workspace_id"], event["merged_contact_id"]]
                contact["merged_at"] = max(contact["merged_at"] or event["occurred_at"], event["occurred_at"])
        return [
            {
                "workspace_id": workspace_id,
                "contact_id": contact_id,
                "source": contact["source"],
                "added_at": contact["added_at"],
                "first_connected_at": contact["first_connected_at"],
                "deleted_at": contact["deleted_at"],
                "merged_at": contact["merged_at"],
                "hours_to_connect": hours_between(contact["added_at"], contact["first_connected_at"]),
            }
            for (workspace_id, contact_id), contact in contacts.items()
        ]

    def time_to_connect(self) -> list[Row]:
        """A row for each workspace, month and source with a contact added."""
        hours = {(row["workspace_id"], row["contact_id"]): row["hours_to_connect"] for row in self.lifecycle()}
        groups: dict[tuple[str, date, str, str], list[float | None]] = defaultdict(list)
        for event in self.logs["added"]:
            key = (event["workspace_id"], event["report_date"].replace(day=1), event["source"], event["source_label"])
            groups[key].append(hours[event["workspace_id"], event["contact_id"]])
        rows = []
        for (workspace_id, month_start, source, source_label), waits in groups.items():
            known = [wait for wait in waits if wait is not None]
            rows.append(
                {
                    "workspace_id": workspace_id,
                    "month_start": month_start,
                    "source": source,
                    "source_label": source_label,
                    "contacts_added": len(waits),
                    "contacts_connected": len(known),
                    "percentage": 100 * len(known) / len(waits),
                    "median_hours_to_connect": statistics.median(known) if known else None,
                    "average_hours_to_connect": statistics.fmean(known) if known else None,
                }
            )
        return rows


def hours_between(earlier: datetime | None, later: datetime | None) -> float | None:
    """Hours from one instant to the other, None where one is missing."""
    return (later - earlier) / timedelta(hours=1) if earlier and later else None


def date_ranges(today: date) -> dict[str, tuple[date, date]]:
    """The first and the last day of each preset, as of a day."""
    last_of_last_month = today.replace(day=1) - DAY
    return {
        "today": (today, today),
        "yesterday": (today - DAY, today - DAY),
        "last_7_days": (today - 6 * DAY, today),
        "last_14_days": (today - 13 * DAY, today),
        "last_30_days": (today - 29 * DAY, today),
        "this_month": (today.replace(day=1), today),
        "last_month": (last_of_last_month.replace(day=1), last_of_last_month),
    }


def date_ranges_at(instant: datetime, zones: Mapping[str, str]) -> list[Row]:
    """A row for each workspace and preset, as the workspaces' calendars stand at an instant."""
    return [
        {"workspace_id": workspace_id, "date_range": key, "start_date": start_date, "end_date": end_date}
        for workspace_id, zone in zones.items()
        for key, (start_date, end_date) in date_ranges(instant.astimezone(ZoneInfo(zone)).date()).items()
    ]


def rows_by_date_range(ranges: Iterable[Row], reckon: Callable[[Filters], list[Row]]) -> list[Row]:
    """What a report says of each range of each workspace."""
    return [
        range_of | row
        for range_of in ranges
        for row in reckon(Filters(range_of["start_date"], range_of["end_date"], range_of["workspace_id"]))
    ]
