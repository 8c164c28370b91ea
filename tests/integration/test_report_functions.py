"""The date ranges, the parameterised reports and what follows from them, against an independent reckoning."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page.findings import FINDINGS
from tests.integration.published_reports import (
    FREQUENCIES,
    NAMES,
    SOURCES,
    WORKSPACES,
    Published,
    assert_equal,
    assert_percentages_are_whole,
    filters,
    published_reports,
    scans,
    takes,
    telling_instants,
)
from tests.report_reckoning import COMPONENTS, EVENT_TYPES, METRICS, Filters, date_ranges_at, rows_by_date_range

pytestmark = pytest.mark.slow

many = settings(deadline=None, max_examples=250)


@pytest.fixture(scope="module")
def published(data_folder_of_the_module: Path) -> Iterator[Published]:
    with published_reports(data_folder_of_the_module) as published:
        yield published


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
@given(arguments=filters(), event_type=st.sampled_from(EVENT_TYPES))
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
    elif contact_name == "\u0308":
        assert found == []


def test_a_name_is_not_searched_on_days_that_are_not_asked_for(published: Published) -> None:
    arguments = Filters(date(2024, 1, 1), date.today(), contact_name="x" * 20)
    values = {"start": arguments.start_date, "end": arguments.start_date, "name": arguments.contact_name}
    call = "from reports.component_states($start, $end, contact_name := $name)"
    ((_, plan),) = published.connection.execute(f"explain (analyze, format json) {call}", values).fetchall()
    facts = sum(number for table, number in scans(json.loads(plan)) if ".fct_" in table)
    (everything,) = published.rows("select count(*) as number from marts.fct_contact_events")
    assert facts < everything["number"] / 10
    assert {row["first_date_with_data"] for row in published.call("component_states", arguments)} == {None}


def test_a_metric_of_which_nothing_matches_counts_zero_from_the_first_day_of_the_data_on(published: Published) -> None:
    (first,) = published.rows(
        "select min(report_date) as day from reports.contacts_overview where workspace_id = '101'"
    )
    for day, expected in ((first["day"], "ok"), (first["day"] - timedelta(days=1), "no_data")):
        arguments = Filters(day - timedelta(days=1), day, "101", user_ids=["unknown-user"])
        states = {row["component"]: row["state"] for row in published.call("component_states", arguments)}
        assert {states[component] for component in METRICS} == {expected}
        assert states["added_donut"] == states["added_log"] == states["overview_bar_chart"] == "no_data"


@many
@given(arguments=filters(), contact_name=st.sampled_from(NAMES))
def test_what_is_counted_under_a_name_is_as_many_rows_as_the_logs_have(
    published: Published, arguments: Filters, contact_name: str
) -> None:
    arguments = replace(arguments, contact_name=contact_name)
    without_channels = replace(arguments, channel_ids=None)
    rows = {
        event_type: len(
            published.call(
                f"contacts_{event_type}_log_between", arguments if event_type == "connected" else without_channels
            )
        )
        for event_type in EVENT_TYPES
    }
    (overview,) = published.call("contacts_overview_between", without_channels, "total")
    assert {f"contacts_{event_type}": rows[event_type] for event_type in ("added", "deleted", "merged")} == {
        name: overview[name] for name in ("contacts_added", "contacts_deleted", "contacts_merged")
    }
    for event_type, filters_of in (("added", without_channels), ("connected", arguments)):
        counted = published.call(f"contacts_{event_type}_between", filters_of, "month")
        assert sum(row[f"contacts_{event_type}"] for row in counted) == rows[event_type]
    for row in published.call("contacts_compared_between", arguments):
        assert row["contacts"] == rows[row["metric"].removeprefix("contacts_")]
    for row in published.call("component_states", arguments):
        has_rows = any(rows[event_type] for event_type in COMPONENTS[row["component"]])
        assert (row["state"] == "ok") <= (has_rows or row["component"] in METRICS)


@pytest.mark.parametrize("contact_name", ["'", "''); select 1 --", "a\0b", "\\'", "é" * 5000])
def test_a_name_is_only_ever_text(published: Published, contact_name: str) -> None:
    arguments = Filters(date(2024, 1, 1), date.today(), contact_name=contact_name)
    found = published.call("contacts_overview_between", arguments, "total")
    assert_equal(found, published.reports.overview_between(arguments, "total"))


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
    "contacts_net_growth_between",
    "contacts_time_to_connect_between",
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
    if not all(takes(function, name) for name in arguments):
        return
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


@many
@given(instant=telling_instants())
def test_the_date_ranges_are_those_of_each_workspaces_calendar(published: Published, instant: datetime) -> None:
    found = published.rows("from reports.date_ranges_at(?)", [instant])
    assert_equal(found, date_ranges_at(instant, WORKSPACES))


def test_growth_lifecycle_and_time_to_connect_are_as_reckoned(published: Published) -> None:
    assert_equal(published.rows("from reports.contacts_net_growth"), published.reports.net_growth())
    assert_equal(published.rows("from reports.contacts_lifecycle"), published.reports.lifecycle())
    assert_equal(published.rows("from reports.contacts_time_to_connect"), published.reports.time_to_connect())


@many
@given(arguments=filters(), frequency=st.sampled_from(FREQUENCIES))
def test_growth_and_time_to_connect_between_two_dates_are_as_reckoned(
    published: Published, arguments: Filters, frequency: str
) -> None:
    found = published.call("contacts_net_growth_between", arguments, frequency)
    assert_equal(found, published.reports.net_growth_between(arguments, frequency))
    found = published.call("contacts_time_to_connect_between", arguments)
    assert_equal(found, published.reports.time_to_connect_between(arguments))


@pytest.mark.parametrize(
    "function",
    [
        "contacts_overview_between",
        "contacts_added_between",
        "contacts_connected_between",
        "contacts_net_growth_between",
    ],
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
    for function in FUNCTIONS:
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
        for empty in ("[]", "[null]") if filter_name != "channel_ids" else ("[]",):
            call = f"contacts_connected_log_between('2000-01-01', '2100-01-01', {filter_name} := {empty})"
            assert published.rows(f"from reports.{call}") == []
    assert (
        published.rows("from reports.contacts_connected_log_between('2000-01-01', '2100-01-01', sources := ?)", [[]])
        == []
    )


def test_null_among_the_channels_is_the_unknown_channel(published: Published) -> None:
    unknown = len([event for event in published.reports.logs["connected"] if event["channel_id"] is None])
    first = len([event for event in published.reports.logs["connected"] if event["channel_id"] == "1"])
    assert unknown and first
    for channel_ids, expected in ([None], unknown), (["1", None], unknown + first), (["1"], first):
        between = "('2000-01-01', '2100-01-01', channel_ids := $channel_ids)"
        arguments: dict[str, object] = {"channel_ids": channel_ids}
        assert len(published.rows(f"from reports.contacts_connected_log_between{between}", arguments)) == expected
        counted = published.rows(f"from reports.contacts_connected_between{between}", arguments)
        assert sum(row["contacts_connected"] for row in counted) == expected
        (compared,) = published.rows(f"from reports.contacts_compared_between{between}", arguments)
        assert compared["contacts"] == expected
        states = {
            row["component"]: row["state"]
            for row in published.rows(f"from reports.component_states{between}", arguments)
        }
        assert (states["connected_log"], states["added_log"]) == ("ok", "not_applicable")


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
        "channel": "select 'unknown'",
        "certainty": "select certainty from quality.report_log_gaps",
        "superseding": "select reason from quality.superseded_events",
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
        for view in (*(f"reports.contacts_{one}_log" for one in EVENT_TYPES), *(f"quality.{one}" for one in FINDINGS))
        for row in published.rows(f"describe from {view}")
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
        ("contacts_added_between($first, $last, contact_name := 'an')", "fct_contacts_added"),
        ("contacts_added_between($first, $last, contact_name := '')", "agg_breakdown_daily"),
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
