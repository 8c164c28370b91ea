"""The date ranges, the parameterised reports and what follows from them, against an independent reckoning."""

import json
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness import Pipeline
from tests.report_reckoning import COMPONENTS, EVENT_TYPES, Filters, Reports, Row, date_ranges_at, rows_by_date_range
from tests.streams import apply, make_deliveries
from tests.streams.values import CLOCK_CHANGES, ZONES

FREQUENCIES = ("day", "week", "month", "total")
# The workspaces of the stream, and one in each zone of which events are recent.
STREAMED = ("101", "202", "303", "acme-east", "42")
WORKSPACES = {workspace_id: ZONES[number] for number, workspace_id in enumerate(STREAMED)} | {
    f"recent-{number}": zone for number, zone in enumerate(ZONES)
}
RECENT = date.today() - timedelta(days=60)
pytestmark = pytest.mark.slow


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
    if parameter == "channel_ids":
        return "connected" in function or function in ("contacts_compared_between", "component_states")
    return parameter != "contact_name" or "_log_" in function


@pytest.fixture(scope="module")
def published(data_folder_of_the_module: Path) -> Iterator[Published]:
    pipeline = Pipeline(data_folder_of_the_module)
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
VALUES = {
    "user_ids": ("1", "2", "3", "u-x", "77", "404"),
    "sources": ("user", "incoming_message", "make", "unknown", "broadcast", "other"),
    "contact_ids": (*range(1, 9), 2**63 - 1, 1001, 404),
    "channel_ids": ("1", "2", "3", "wa-main", "88", "404"),
}
SOURCES = (*VALUES["sources"], "contact_import", "developer_api", "echo_message", "zapier", "click_to_chat_ads")
COMBINATIONS = [
    *(used for number in (0, 1, 2) for used in combinations(("workspace_id", *VALUES), number)),
    ("workspace_id", *VALUES),
]


@st.composite
def filters(draw: st.DrawFn, contact_name: bool = False) -> Filters:
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
        contact_name=draw(st.none() | st.sampled_from(NAMES)) if contact_name else None,
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


many = settings(deadline=None, max_examples=250)


@many
@given(arguments=filters(), frequency=st.sampled_from(FREQUENCIES))
def test_the_overview_between_two_dates_is_as_reckoned(
    published: Published, arguments: Filters, frequency: str
) -> None:
    arguments = replace(arguments, channel_ids=None)
    found = published.call("contacts_overview_between", arguments, frequency)
    assert_equal(found, published.reports.overview_between(arguments, frequency))


@many
@given(arguments=filters(), frequency=st.sampled_from(FREQUENCIES))
def test_contacts_added_between_two_dates_are_as_reckoned(
    published: Published, arguments: Filters, frequency: str
) -> None:
    arguments = replace(arguments, channel_ids=None)
    found = published.call("contacts_added_between", arguments, frequency)
    assert_equal(found, published.reports.added_between(arguments, frequency))
    assert_percentages_are_whole(found, ["period_start"])


@many
@given(arguments=filters(), frequency=st.sampled_from(FREQUENCIES))
def test_contacts_connected_between_two_dates_are_as_reckoned(
    published: Published, arguments: Filters, frequency: str
) -> None:
    found = published.call("contacts_connected_between", arguments, frequency)
    assert_equal(found, published.reports.connected_between(arguments, frequency))
    assert_percentages_are_whole(found, ["period_start"])


@many
@given(arguments=filters(contact_name=True), event_type=st.sampled_from(EVENT_TYPES))
def test_the_logs_between_two_dates_are_as_reckoned(published: Published, arguments: Filters, event_type: str) -> None:
    if event_type != "connected":
        arguments = replace(arguments, channel_ids=None)
    found = published.call(f"contacts_{event_type}_log_between", arguments)
    assert_equal(found, published.reports.log_between(event_type, arguments))


@pytest.mark.parametrize("contact_name", NAMES)
def test_a_name_is_found_by_a_part_of_it_whatever_case_and_accents(published: Published, contact_name: str) -> None:
    arguments = Filters(date(2024, 1, 1), date.today(), contact_name=contact_name)
    for event_type in EVENT_TYPES:
        found = published.call(f"contacts_{event_type}_log_between", arguments)
        assert_equal(found, published.reports.log_between(event_type, arguments))
    if contact_name in ("ZOË", "zoe"):
        assert {"Zoë", "zoe\u0308 d'Ys"} <= {row["contact_name"] for row in found}
    elif contact_name in ("%", "_"):
        assert {row["contact_name"] for row in found} == {{"%": "100 %", "_": "a_b"}[contact_name]}
    elif contact_name == "STRASSE":
        assert {row["contact_name"] for row in found} == {"Øyvind Straße"}
    elif contact_name == "":
        assert None in {row["contact_name"] for row in found}


@many
@given(arguments=filters(), compared_with=st.sampled_from(("preceding", "week", "month", "year")))
def test_the_comparison_with_another_range_is_as_reckoned(
    published: Published, arguments: Filters, compared_with: str
) -> None:
    found = published.call("contacts_compared_between", arguments, compared_with=compared_with)
    assert_equal(found, published.reports.compared_between(arguments, compared_with))


def test_days_that_an_earlier_month_does_not_have_are_its_last(published: Published) -> None:
    call = "from reports.contacts_compared_between('2024-03-30', '2024-03-31', compared_with := ?)"
    days = {
        compared_with: {
            (row["start_date_before"], row["end_date_before"]) for row in published.rows(call, [compared_with])
        }
        for compared_with in ("preceding", "week", "month", "year")
    }
    assert days == {
        "preceding": {(date(2024, 3, 28), date(2024, 3, 29))},
        "week": {(date(2024, 3, 23), date(2024, 3, 24))},
        "month": {(date(2024, 2, 29), date(2024, 2, 29))},
        "year": {(date(2023, 3, 30), date(2023, 3, 31))},
    }


FUNCTIONS = [
    "contacts_overview_between",
    "contacts_added_between",
    "contacts_connected_between",
    *(f"contacts_{event_type}_log_between" for event_type in EVENT_TYPES),
    "contacts_compared_between",
    "component_states",
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sources": ["User"]}, r"sources '\[User\]' is not known, each is one of: .*incoming_message, .*user"),
        ({"sources": ["user", "nothing"], "user_ids": []}, r"sources '\[user, nothing\]' is not known"),
        ({"workspace_id": "404"}, "workspace_id '404' is not known, it is one of: 101, .*acme-east"),
        ({"start_date": date(2025, 2, 1)}, "start_date 2025-02-01 is after end_date 2025-01-31. It must be"),
    ],
)
@pytest.mark.parametrize("query", ["from {}", "select count(*) from {}", "from {} order by all limit 1"])
def test_arguments_that_can_match_nothing_are_errors(
    published: Published, function: str, arguments: dict[str, Any], message: str, query: str
) -> None:
    values: dict[str, Any] = {"start_date": date(2025, 1, 1), "end_date": date(2025, 1, 31)} | arguments
    assert Filters(**values).refused(WORKSPACES, SOURCES)
    call = f"reports.{function}({', '.join(f'{name} := ${name}' for name in values)})"
    with pytest.raises(duckdb.Error, match=message):
        published.rows(query.format(call), values)


@pytest.mark.parametrize("compared_with", ["day", "Week", "", None])
def test_a_range_to_compare_with_that_is_not_known_is_an_error(published: Published, compared_with: str | None) -> None:
    call = "from reports.contacts_compared_between('2025-01-01', '2025-01-31', compared_with := ?)"
    with pytest.raises(duckdb.Error, match="compared_with .* it is one of: preceding, week, month, year"):
        published.rows(call, [compared_with])


@settings(many, max_examples=50)
@given(arguments=filters())
def test_the_states_of_the_components_are_as_reckoned(published: Published, arguments: Filters) -> None:
    found = published.call("component_states", arguments)
    for column in ("reason", "reason_fr"):
        assert all((row.pop(column) is None) == (row["state"] == "ok") for row in found)
    assert_equal(found, published.reports.component_states(arguments))


def assert_percentages_are_whole(rows: list[Row], names: list[str]) -> None:
    sums: dict[tuple[object, ...], float] = defaultdict(float)
    for row in rows:
        assert row["percentage"] > 0
        sums[tuple(row[name] for name in names)] += row["percentage"]
    assert all(abs(total - 100) < 1e-6 for total in sums.values())


def test_the_reports_by_date_range_are_as_reckoned_at_the_moment_of_the_query(published: Published) -> None:
    reports = published.reports
    published.connection.begin()  # In a transaction now() stands still.
    try:
        ((now,),) = published.connection.execute("select epoch_us(now())").fetchall()
        ranges = date_ranges_at(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=now), WORKSPACES)
        assert_equal(published.rows("from reports.date_ranges"), ranges)
        for view, expected in {
            "contacts_overview_by_date_range": rows_by_date_range(
                ranges, lambda range_of: reports.overview_between(range_of, "total")
            ),
            "contacts_added_by_source_and_date_range": rows_by_date_range(
                ranges, lambda range_of: reports.added_between(range_of, "total")
            ),
            "contacts_connected_by_channel_and_date_range": rows_by_date_range(
                ranges, lambda range_of: reports.connected_between(range_of, "total")
            ),
            "contacts_compared_by_date_range": rows_by_date_range(ranges, reports.compared_between),
        }.items():
            for row in expected:
                row.pop("period_start", None)
            found = published.rows(f"from reports.{view}")
            assert len(found) > 50, view
            assert_equal(found, expected)
            if "percentage" in found[0]:
                assert_percentages_are_whole(found, ["workspace_id", "date_range"])
    finally:
        published.connection.rollback()


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


@many
@given(instant=telling_instants())
def test_the_date_ranges_are_those_of_each_workspaces_calendar(published: Published, instant: datetime) -> None:
    found = published.rows("from reports.date_ranges_at(?)", [instant])
    assert_equal(found, date_ranges_at(instant, WORKSPACES))


def test_growth_lifecycle_and_time_to_connect_are_as_reckoned(published: Published) -> None:
    assert_equal(published.rows("from reports.contacts_net_growth"), published.reports.net_growth())
    assert_equal(published.rows("from reports.contacts_lifecycle"), published.reports.lifecycle())
    assert_equal(published.rows("from reports.contacts_time_to_connect"), published.reports.time_to_connect())


@pytest.mark.parametrize(
    "function", ["contacts_overview_between", "contacts_added_between", "contacts_connected_between"]
)
@pytest.mark.parametrize("frequency", ["year", "Day", "", "'", None])
@pytest.mark.parametrize("start_date", ["2025-01-01", "1999-01-01", "2099-01-01", "0001-01-01"])
def test_a_frequency_that_is_not_known_is_an_error_that_lists_those_that_are(
    published: Published, function: str, frequency: str | None, start_date: str
) -> None:
    sql = f"from reports.{function}(?, ?::date + 30, frequency := ?)"
    with pytest.raises(duckdb.Error, match="one of: day, week, month, total"):
        published.rows(sql, [start_date, start_date, frequency])


@pytest.mark.parametrize("dates", ["null, date '2025-01-31'", "date '2025-01-01', null", "null, null"])
def test_without_dates_there_is_no_report(published: Published, dates: str) -> None:
    functions = ["contacts_overview_between", "contacts_added_between", "contacts_connected_between"]
    functions += [f"contacts_{event_type}_log_between" for event_type in EVENT_TYPES]
    for function in [*functions, "contacts_compared_between", "component_states"]:
        with pytest.raises(duckdb.Error, match="start_date and end_date are required"):
            published.rows(f"from reports.{function}({dates})")


def test_arguments_may_be_text_prepared_queries_and_columns_of_another_table(published: Published) -> None:
    expected = published.call("contacts_overview_between", Filters(date(2025, 1, 1), date(2025, 3, 31), "101"), "month")
    assert len(expected) == 3
    in_text = "from reports.contacts_overview_between('2025-01-01', '2025-03-31', frequency := 'month', "
    assert published.rows(in_text + "workspace_id := '101', user_ids := null, sources := null)") == expected
    assert published.rows(in_text + "workspace_id := 101)") == expected
    published.connection.execute(
        """
        prepare report as
        from reports.contacts_overview_between($1, $2, frequency := $3, workspace_id := $4, user_ids := $5)"""
    )
    executed = "execute report('2025-01-01', date '2025-03-31', 'month', '101', null)"
    assert published.rows(executed) == expected
    by_range = published.rows(
        """
        select ranges.workspace_id, ranges.date_range, report.* exclude (period_start)
        from reports.date_ranges as ranges,
            reports.contacts_overview_between(
                ranges.start_date, ranges.end_date, frequency := 'total', workspace_id := ranges.workspace_id
            ) as report"""
    )
    assert_equal(
        by_range, published.rows("select * exclude (start_date, end_date) from reports.contacts_overview_by_date_range")
    )


def test_a_list_that_is_empty_or_holds_only_null_matches_nothing(published: Published) -> None:
    for filter_name in ("user_ids", "sources", "contact_ids", "channel_ids"):
        for empty in ("[]", "[null]"):
            call = f"contacts_connected_log_between('2000-01-01', '2100-01-01', {filter_name} := {empty})"
            assert published.rows(f"from reports.{call}") == []
    assert (
        published.rows("from reports.contacts_connected_log_between('2000-01-01', '2100-01-01', sources := ?)", [[]])
        == []
    )


def test_the_columns_are_those_of_the_contract(published: Published) -> None:
    shares = {"percentage": "DOUBLE"}
    overview = dict.fromkeys(["contacts_added", "contacts_deleted", "contacts_merged"], "BIGINT")
    added = {"source": "VARCHAR", "source_label": "VARCHAR", "contacts_added": "BIGINT"} | shares
    connected = {"channel_id": "VARCHAR", "channel_name": "VARCHAR", "contacts_connected": "BIGINT"} | shares
    period = {"period_start": "DATE"}
    dates = {"workspace_id": "VARCHAR", "date_range": "VARCHAR", "start_date": "DATE", "end_date": "DATE"}
    ranges = {"workspace_id": "VARCHAR", "date_range": "VARCHAR", "label": "VARCHAR", "start_date": "DATE"}
    arguments = "('2025-01-01', '2025-01-31')"
    for relation, columns in {
        "date_ranges": ranges | {"end_date": "DATE"},
        "contacts_overview_by_date_range": dates | overview,
        "contacts_added_by_source_and_date_range": dates | added,
        "contacts_connected_by_channel_and_date_range": dates | connected,
        f"contacts_overview_between{arguments}": period | overview,
        f"contacts_added_between{arguments}": period | added,
        f"contacts_connected_between{arguments}": period | {"workspace_id": "VARCHAR"} | connected,
    }.items():
        described = published.rows(f"describe from reports.{relation}")
        assert {row["column_name"]: row["column_type"] for row in described} == columns, relation
        assert [row["column_name"] for row in described] == list(columns), relation
    for event_type in EVENT_TYPES:
        log = f"describe from reports.contacts_{event_type}_log"
        assert published.rows(log) == published.rows(f"{log}_between{arguments}")


def test_the_components_name_views_and_functions_that_exist_and_the_filters_that_apply(published: Published) -> None:
    rows = published.rows("from reports.report_components order by position")
    assert {row["key"]: tuple(row["event_types"]) for row in rows} == COMPONENTS
    for row in rows:
        published.rows(f"from {row['view']} limit 0")
        published.rows(f"from {row['table_function']}('2025-01-01', '2025-01-31') limit 0")
        applicable = published.rows(
            "select filter from reports.report_filters where component = ? and is_applicable order by filter",
            [row["key"]],
        )
        assert row["filters"] == [found["filter"] for found in applicable]
        assert ("channel" in row["filters"]) == (row["event_types"] == ["connected"])
        assert {"date", "user", "source", "contact"} <= set(row["filters"])


def test_sources_presets_and_components_have_labels_in_english_and_french(published: Published) -> None:
    labels = published.rows("from reports.report_labels")
    keys = {(row["subject"], row["key"]) for row in labels}
    for subject, query in {
        "source": "select source from reports.sources",
        "date_range": "select date_range from reports.date_ranges",
        "component": "select key from reports.report_components",
        "block": "select block from reports.report_components",
        "kind": "select kind from reports.report_components",
        "filter": "select filter from reports.report_filters",
        "metric": "select metric from reports.contacts_compared_by_date_range",
    }.items():
        assert {(subject, key) for (key,) in published.connection.execute(query).fetchall()} <= keys
    assert {("frequency", frequency) for frequency in FREQUENCIES} <= keys
    assert {("compared_with", other) for other in ("preceding", "week", "month", "year")} <= keys
    columns = {
        row["column_name"]
        for event_type in EVENT_TYPES
        for row in published.rows(f"describe from reports.contacts_{event_type}_log")
    }
    assert {("column", column) for column in columns} <= keys
    french = {(row["subject"], row["key"]): row["label_fr"] for row in labels}
    assert french["date_range", "last_7_days"] == "Les 7 derniers jours"
    # As the page writes them.
    assert french["column", "occurred_at_local"] == "Horodatage"
    assert french["column", "primary_contact_id"] == "ID du contact principal"
    assert french["state", "not_applicable"] == "Les filtres sélectionnés ne sont pas applicables ici"


def test_a_report_can_be_asked_for_from_another_database_that_has_the_file_attached(published: Published) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path_of(published)}' (read_only)")
        call = (
            "from contact_reports.reports.contacts_overview_between('2025-01-01', '2025-03-31', frequency := 'month')"
        )
        assert len(connection.execute(call).fetchall()) == 3
        assert connection.execute("from contact_reports.reports.date_ranges").fetchall()


@pytest.mark.parametrize(
    ("call", "table"),
    [
        ("contacts_added_log_between($first, $last, user_ids := $none)", "fct_contacts_added"),
        ("contacts_added_between($first, $last, contact_ids := [1, 2])", "fct_contacts_added"),
        ("contacts_overview_between($first, $last, workspace_id := $none)", "agg_breakdown_daily"),
        ("contacts_compared_between($first, $last, sources := ['user'])", "agg_contacts_daily"),
    ],
)
def test_a_month_of_a_thousand_days_reads_a_month(large: Path, call: str, table: str) -> None:
    with duckdb.connect(str(large), read_only=True) as connection:
        first = date(2001, 6, 1)
        arguments = {"first": first, "last": str(first + timedelta(days=29)), "none": None}
        used = {name: value for name, value in arguments.items() if f"${name}" in call}
        ((_, plan),) = connection.execute(f"explain (analyze, format json) from reports.{call}", used).fetchall()
    scanned = [rows for name, rows in scans(json.loads(plan)) if name.endswith(table)]
    # Some 30,000 of a million rows; DuckDB reads groups of 122,880.
    assert scanned and 0 < sum(scanned) <= 2 * 122_880, plan


@pytest.fixture(scope="module")
def large(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file with a million more rows, under the same name, which is written into the functions."""
    path = tmp_path_factory.mktemp("large") / Path(path_of(published)).name
    shutil.copyfile(path_of(published), path)
    with duckdb.connect(str(path)) as connection:
        for table, columns in {
            "fct_contacts_added": "i as contact_id",
            "agg_contacts_daily": "'added' as event_type, 1 as contacts",
            "agg_breakdown_daily": "'added' as event_type, 1 as contacts",
        }.items():
            connection.execute(
                f"""
                insert into marts.{table} by name
                select
                    '101' as workspace_id, date '2000-01-01' + (i // 1000)::int as report_date, 'user' as source,
                    {columns}
                from range(1000000) as numbers (i)"""
            )
    return path


def path_of(published: Published) -> str:
    ((path,),) = published.connection.execute("select path from duckdb_databases() where not internal").fetchall()
    return str(path)


def scans(operator: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The tables that a plan reads, and how many rows of them."""
    if "SCAN" in operator.get("operator_name", ""):
        yield operator["extra_info"].get("Table", ""), operator["operator_rows_scanned"]
    for child in operator.get("children", []):
        yield from scans(child)
