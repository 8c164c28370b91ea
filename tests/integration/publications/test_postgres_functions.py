"""The functions and views of PostgreSQL give what those of the file give, and refuse what those refuse."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import connection as Connection

from publications.postgres.views import COMPUTED
from tests.harness import Pipeline
from tests.integration.publications.in_postgresql import Row, assert_equal, connected, publish
from tests.integration.published_reports import FREQUENCIES, NAMES, Published, filters, published_reports, takes
from tests.report_reckoning import Filters, plain
from tests.unit.test_letters import LETTERS

pytestmark = pytest.mark.slow

COUNTS = ("contacts_overview_between", "contacts_added_between", "contacts_connected_between")
LOGS = tuple(f"contacts_{one}_log_between" for one in ("added", "connected", "deleted", "merged"))
many = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def file(data_folder_of_the_module: Path) -> Iterator[Published]:
    with published_reports(data_folder_of_the_module) as published:
        yield published


@pytest.fixture(scope="module")
def postgres(file: Published, database_of_the_module: str, data_folder_of_the_module: Path) -> Iterator[Connection]:
    path = Pipeline(data_folder_of_the_module).settings.published
    publish(database_of_the_module, path)
    assert_equal(database_of_the_module, path)
    with connected(database_of_the_module) as connection:
        yield connection


def rows(postgres: Connection, sql: str, arguments: Any = None) -> list[Row]:
    with postgres.cursor() as cursor:
        cursor.execute(sql, arguments)
        return list(cursor.fetchall())


def call(postgres: Connection, function: str, filters: Filters, **others: str) -> list[dict[str, Any]]:
    arguments = {name: value for name, value in asdict(filters).items() if takes(function, name)} | others
    named = [name for name, value in arguments.items() if value is not None and name not in ("start_date", "end_date")]
    types = {"contact_ids": "::bigint[]"}
    lists = dict.fromkeys(("user_ids", "sources", "channel_ids"), "::text[]") | types
    parameters = ", ".join(
        ["%(start_date)s", "%(end_date)s", *(f"{one} => %({one})s{lists.get(one, '')}" for one in named)]
    )
    with postgres.cursor() as cursor:
        cursor.execute(f"select * from reports.{function}({parameters})", arguments)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    def comparable(row: dict[str, Any]) -> str:
        return repr(
            [(name, value.timestamp() if getattr(value, "tzinfo", None) else value) for name, value in row.items()]
        )

    assert Counter(map(comparable, found)) == Counter(map(comparable, expected))


@many
@given(arguments=filters(), frequency=st.sampled_from(FREQUENCIES), function=st.sampled_from(COUNTS))
def test_counts_are_those_of_the_file(
    file: Published, postgres: Connection, arguments: Filters, frequency: str, function: str
) -> None:
    assert_same(call(postgres, function, arguments, frequency=frequency), file.call(function, arguments, frequency))


@many
@given(arguments=filters(), function=st.sampled_from(LOGS))
def test_logs_are_those_of_the_file(file: Published, postgres: Connection, arguments: Filters, function: str) -> None:
    assert_same(call(postgres, function, arguments), file.call(function, arguments))


@many
@given(arguments=filters(), compared_with=st.sampled_from(("preceding", "week", "month", "year")))
def test_comparisons_are_those_of_the_file(
    file: Published, postgres: Connection, arguments: Filters, compared_with: str
) -> None:
    name = "contacts_compared_between"
    assert_same(
        call(postgres, name, arguments, compared_with=compared_with),
        file.call(name, arguments, compared_with=compared_with),
    )


@many
@given(arguments=filters())
def test_states_of_components_are_those_of_the_file(file: Published, postgres: Connection, arguments: Filters) -> None:
    assert call(postgres, "component_states", arguments) == file.call("component_states", arguments)


@many
@given(arguments=filters(), frequency=st.sampled_from(FREQUENCIES))
def test_growth_and_time_to_connect_are_those_of_the_file(
    file: Published, postgres: Connection, arguments: Filters, frequency: str
) -> None:
    name = "contacts_net_growth_between"
    assert_same(call(postgres, name, arguments, frequency=frequency), file.call(name, arguments, frequency))
    name = "contacts_time_to_connect_between"
    assert_same(call(postgres, name, arguments), file.call(name, arguments))


@pytest.mark.parametrize("contact_name", NAMES)
def test_a_name_is_found_as_in_the_file(file: Published, postgres: Connection, contact_name: str) -> None:
    arguments = Filters(date(2024, 1, 1), date.today(), contact_name=contact_name)
    for function in (*LOGS, *COUNTS):
        assert_same(call(postgres, function, arguments), file.call(function, arguments))


@pytest.mark.parametrize("view", COMPUTED)
def test_views_of_the_presets_are_those_of_the_file(file: Published, postgres: Connection, view: str) -> None:
    while True:
        # The day may turn in between.
        expected = file.rows(f"from reports.{view}")
        with postgres.cursor() as cursor:
            names = ", ".join(expected[0])
            cursor.execute(f"select {names} from reports.{view}")
            found = [dict(zip(expected[0], row, strict=True)) for row in cursor.fetchall()]
        if file.rows(f"from reports.{view}") == expected or Counter(map(repr, expected)) == Counter(map(repr, found)):
            break
    assert_same(found, expected)


@pytest.mark.parametrize("instant", ["2025-12-31 22:59:00+00", "2024-02-29 12:00:00+00", "2024-03-31 00:30:00+00"])
def test_date_ranges_at_an_instant_are_those_of_the_file(file: Published, postgres: Connection, instant: str) -> None:
    moment = datetime.fromisoformat(instant).astimezone(UTC)
    expected = file.rows("from reports.date_ranges_at($1)", [moment])
    found = rows(postgres, "select * from reports.date_ranges_at(%s)", [moment])
    assert Counter(found) == Counter(tuple(row.values()) for row in expected)


@pytest.mark.parametrize(
    "arguments",
    [
        "'2026-03-02', '2026-03-01'",
        "null, '2026-03-01'",
        "'2026-01-01', '2026-01-02', workspace_id := 'nowhere'",
        "'2026-01-01', '2026-01-02', frequency := 'hour'",
        "'2026-01-01', '2026-01-02', frequency := null",
        "'2026-01-01', '2026-01-02', sources := array['user', 'pigeon']",
    ],
)
def test_a_value_that_the_file_refuses_is_refused_with_the_same_words(
    file: Published, postgres: Connection, arguments: str
) -> None:
    with pytest.raises(psycopg2.errors.InvalidParameterValue) as raised:
        rows(postgres, f"select * from reports.contacts_added_between({arguments})")
    with pytest.raises(duckdb.Error) as refused:
        file.rows(f"from reports.contacts_added_between({arguments.replace('array', '')})")
    assert str(raised.value).splitlines()[0] in str(refused.value)


def test_every_function_of_the_file_is_there_with_its_arguments(file: Published, postgres: Connection) -> None:
    expected = {
        row["function_name"]: row["parameters"]
        for row in file.rows(
            "select function_name, parameters from duckdb_functions() where schema_name = 'reports' and not internal"
        )
    }
    found: dict[str, Any] = dict(
        rows(
            postgres,
            "select proname, (proargnames::text[])[1:pronargs] from pg_proc"
            " where pronamespace = 'reports'::regnamespace",
        )
    )
    assert found == expected


def test_every_letter_of_unicode_is_brought_to_plain_letters(postgres: Connection) -> None:
    found: dict[str, Any] = dict(
        rows(postgres, "select t, contact_reports.plain_letters(t) from unnest(%s::text[]) as t", [LETTERS])
    )
    expected = {letter: plain(letter) for letter in LETTERS}
    stands_for = {letter: found[letter] for text in expected.values() for letter in text}
    wrong = {
        f"U+{ord(letter):04X} {letter}": (found[letter], text)
        for letter, text in expected.items()
        if found[letter] != "".join(stands_for.get(one, one) for one in text)
    }
    assert wrong == {}


def test_what_is_done_with_comments_is_done_with_all(file: Published, postgres: Connection) -> None:
    expected = file.rows(
        """select schema_name || '.' || view_name || '' as name, comment from duckdb_views()
        where schema_name in ('reports', 'quality') and view_name <> 'landed_records'"""
    )
    found: dict[str, Any] = dict(
        rows(postgres, "select oid::regclass::text, obj_description(oid) from pg_class where relkind in ('r', 'v')")
    )
    assert {row["name"]: found[row["name"]] for row in expected} == {row["name"]: row["comment"] for row in expected}
    assert all(row["comment"] for row in expected)
