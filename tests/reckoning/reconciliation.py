"""The view in which the routes are compared day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date

from tests.reckoning.downloads import covered_days
from tests.reckoning.judging import Event
from tests.reckoning.resolving import natural_key
from tests.reckoning.state import Row, State

ROUTES_IN_ORDER = ("report_log", "events", "data_export", "webhook", "api")
FRESH_ROUTES = ("webhook", "api")
Day = tuple[str, date, str]


def day_of(event: Event) -> Day:
    return event.workspace_id, event.local.date(), event.event_type


def reconciliation(state: State) -> Iterator[Row]:
    covered = covered_days(state.downloads)
    standing = Counter((day_of(event), event.record.route) for event in state.outcome.standing)
    not_in_log = Counter(day_of(event) for event, reason, _ in state.outcome.superseded if reason == "not_in_log")
    only_in_logs = count_only_in_logs(state)
    for key in {day for day, _ in standing} | not_in_log.keys():
        workspace_id, day, event_type = key
        by_route = {route: standing[key, route] for route in ROUTES_IN_ORDER}
        fresh, all_standing = sum(by_route[route] for route in FRESH_ROUTES), sum(by_route.values())
        is_covered = day in covered.get((workspace_id, event_type), set())
        yield {
            "workspace_id": workspace_id,
            "report_date": day,
            "event_type": event_type,
            **{f"standing_{route}": count for route, count in by_route.items()},
            "is_covered_by_logs": is_covered,
            "is_provisional": 0 < all_standing == fresh and not is_covered,
            "missing_in_logs": fresh if is_covered else 0,
            "only_in_logs": only_in_logs[key],
            "not_in_log": not_in_log[key],
        }


def count_only_in_logs(state: State) -> Counter[Day]:
    """How many events of the logs webhooks and the API did not report, on days on which they reported such events."""
    fresh = [event for event in state.outcome.accepted if event.record.route in FRESH_ROUTES]
    reported = set(map(natural_key, fresh))
    watched: dict[tuple[str, str], list[date]] = defaultdict(list)
    for event in fresh:
        watched[event.workspace_id, event.event_type].append(event.local.date())
    only: Counter[Day] = Counter()
    for event in state.outcome.standing:
        days = watched.get((event.workspace_id, event.event_type))
        if event.record.route == "report_log" and event.event_type in ("added", "connected") and days:
            only[day_of(event)] += min(days) <= event.local.date() <= max(days) and natural_key(event) not in reported
    return only
