"""What the tests of the report functions share: the published file, filters, and how rows are compared."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from hypothesis import strategies as st

from tests.harness import Pipeline
from tests.report_reckoning import EVENT_TYPES, Filters, Reports, Row
from tests.streams import apply, make_deliveries
from tests.streams.values import CLOCK_CHANGES, ZONES

FREQUENCIES = ("day", "week", "month", "total")
# The workspaces of the stream, and one in each zone of which events are recent.
STREAMED = ("101", "202", "303", "acme-east", "42")
WORKSPACES = {workspace_id: ZONES[number] for number, workspace_id in enumerate(STREAMED)} | {
    f"recent-{number}": zone for number, zone in enumerate(ZONES)
}
RECENT = date.today() - timedelta(days=60)


@dataclass(frozen=True)
class Published:
    """A published file, open for reading, and what its logs amount to."""

    connection: duckdb.DuckDBPyConnection
    reports: Reports

    def rows(self, sql: str, arguments: Sequence[object] | dict[str, object] | None = None) -> list[Row]:
        """The rows of a query, by column."""
        cursor = self.connection.execute(sql, arguments)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def call(
        self, function: str, filters: Filters, frequency: str | None = None, compared_with: str | None = None
    ) -> list[Row]:
        """The rows of a table function, its arguments bound, those that are None given or left out."""
        arguments = {name: value for name, value in asdict(filters).items() if takes(function, name)}
        if frequency is not None:
            arguments["frequency"] = frequency
        if compared_with is not None:
            arguments["compared_with"] = compared_with
        if filters.start_date.day % 2:
            arguments = {name: value for name, value in arguments.items() if value is not None}
        named = [name for name in arguments if name not in ("start_date", "end_date")]
        parameters = ", ".join(["$start_date", "$end_date", *(f"{name} := ${name}" for name in named)])
        return self.rows(f"from reports.{function}({parameters})", arguments)


def takes(function: str, parameter: str) -> bool:
    """Whether a report has a parameter of its own, besides those that all have."""
    if function in ("contacts_net_growth_between", "contacts_time_to_connect_between"):
        return parameter in ("start_date", "end_date", "workspace_id")
    if parameter == "channel_ids":
        return "connected" in function or function in ("contacts_compared_between", "component_states")
    return True


def recent_events(workspace_id: str) -> Iterator[str]:
    """Events of the last ten weeks, many of them around midnight in the workspace."""
    rng = random.Random(workspace_id)
    now = datetime.now(UTC)
    for number in range(150):
        local = (now - timedelta(days=rng.choice((*range(10), *range(70))))).astimezone(
            ZoneInfo(WORKSPACES[workspace_id])
        )
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        moment = (midnight + timedelta(seconds=rng.choice((-1, 0, 1, rng.randrange(86400))))).replace(
            tzinfo=ZoneInfo(WORKSPACES[workspace_id])
        )
        event_type = rng.choice(EVENT_TYPES)
        yield json.dumps(
            {
                "event_id": str(number),
                "event_type": event_type,
                "occurred_at": min(moment, now).astimezone(UTC).isoformat(),
                "contact_id": rng.randint(1, 100),
                "contact_name": rng.choice(("Zoë", "zoe\u0308 d'Ys", "Øyvind Straße", "100 %", "a_b", None)),
                "source": "user" if event_type in ("deleted", "merged") else rng.choice(("user", "make", "api", None)),
                "user_id": rng.choice(("1", "2", None)),
                # The same ids in every workspace, which are not the same channels.
                "channel_id": rng.choice(("1", "2", "3", None)),
                "merged_contact_id": 1000 + number,
            }
        )


NAMES = ("e", "É", "zoe", "ZOË", "STRASSE", "weg", "%", "_", "", "\u0308", "o'n", "x" * 20, "李", "two\n", "Angstrom")
VALUES: dict[str, tuple[Any, ...]] = {
    "user_ids": ("1", "2", "3", "u-x", "77", "404"),
    "sources": ("user", "incoming_message", "make", "unknown", "broadcast", "other"),
    "contact_ids": (*range(1, 9), 2**63 - 1, 1001, 404),
    "channel_ids": ("1", "2", "3", "wa-main", "88", "404", None),
}
SOURCES = (*VALUES["sources"], "contact_import", "developer_api", "echo_message", "zapier", "click_to_chat_ads")
COMBINATIONS = [
    *(used for number in (0, 1, 2) for used in combinations(("workspace_id", *VALUES), number)),
    ("workspace_id", *VALUES),
]


@st.composite
def filters(draw: st.DrawFn) -> Filters:
    """Any arguments that are no error: dates around events; no filter, one, two or all."""
    start = draw(st.sampled_from((date(2024, 2, 25), date(2024, 12, 20), date(2025, 2, 20), RECENT)))
    start += timedelta(days=draw(st.integers(0, 60)))
    days = draw(st.integers(0, 40) | st.integers(40, 800))
    used = draw(st.sampled_from(COMBINATIONS))
    lists: dict[str, Any] = {
        name: draw(st.lists(st.sampled_from(values), min_size=draw(st.sampled_from((4, 3, 2, 0))), max_size=4))
        for name, values in VALUES.items()
        if name in used
    }
    return Filters(
        start,
        start + timedelta(days=days),
        workspace_id=draw(st.sampled_from((*WORKSPACES,))) if "workspace_id" in used else None,
        contact_name=draw(st.none() | st.sampled_from(NAMES)),
        **lists,
    )


def assert_equal(found: list[Row], expected: list[Row]) -> None:
    """Fails unless the rows are the same in any order, floats nearly so."""
    columns = list((expected or found or [{}])[0])

    def comparable(rows: list[Row]) -> list[str]:
        return sorted(repr([significant(row[column]) for column in columns]) for row in rows)

    assert comparable(found) == comparable(expected)


def significant(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    return float(f"{value:.9g}") if isinstance(value, float) else value


def assert_percentages_are_whole(rows: list[Row], names: list[str]) -> None:
    sums: dict[tuple[object, ...], float] = defaultdict(float)
    for row in rows:
        assert row["percentage"] > 0
        sums[tuple(row[name] for name in names)] += row["percentage"]
    assert all(abs(total - 100) < 1e-6 for total in sums.values())


@st.composite
def telling_instants(draw: st.DrawFn) -> datetime:
    """Instants at which a calendar may turn: around midnights, first days, leap days and clock changes."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    day = draw(
        st.dates(date(2023, 1, 1), date(2029, 12, 31))
        | st.sampled_from((date(2024, 2, 29), date(2024, 3, 1), date(2025, 3, 1), date(2026, 1, 1), date(2026, 3, 31)))
    )
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    moment = draw(st.sampled_from((midnight, *CLOCK_CHANGES)))
    return moment + draw(st.sampled_from((-60, -1, 0, 1, 60, 3600, -3600))) * timedelta(seconds=1)


def scans(operator: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The tables that a plan reads, and how many rows of them."""
    if "SCAN" in operator.get("operator_name", ""):
        yield operator["extra_info"].get("Table", ""), operator["operator_rows_scanned"]
    for child in operator.get("children", []):
        yield from scans(child)


@contextmanager
def published_reports(data: Path) -> Iterator[Published]:
    """Publish random events and recent ones of every zone, and open what is published."""
    pipeline = Pipeline(data)
    listed = "".join(f"{workspace_id},,{zone}\n" for workspace_id, zone in WORKSPACES.items())
    for number in range(len(ZONES)):
        events = pipeline.landing / f"recent-{number}" / "events"
        events.mkdir(parents=True)
        (events / "recent.jsonl").write_text("\n".join(recent_events(f"recent-{number}")))
    # Two runs: what is read was built by an incremental one.
    first, *others = make_deliveries(random.Random(6), deliveries=3, events=400)
    for deliveries in ([first], others):
        for delivery in deliveries:
            apply(delivery, pipeline.landing)
        (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\n" + listed)
        pipeline.run()
    with duckdb.connect(str(pipeline.settings.published), read_only=True) as connection:
        # Whatever the session's zone, days are those of the workspaces.
        connection.execute("set TimeZone = 'Pacific/Auckland'")
        reader = Published(connection, Reports({}))
        logs = {event_type: reader.rows(f"from reports.contacts_{event_type}_log") for event_type in EVENT_TYPES}
        assert all(len(log) > 50 for log in logs.values()), {kind: len(log) for kind, log in logs.items()}
        yield replace(reader, reports=Reports(logs))
