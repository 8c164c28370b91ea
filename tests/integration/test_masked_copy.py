"""The masked copy of the sample: nothing of a contact or a user of the source is in it, and all else is equal."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.problems import Problem
from orchestration.lib.settings import Settings
from publications.masked.pseudonyms import pseudonym
from publications.masked.publication import MaskedCopy, tables_to_copy
from tests.harness import Pipeline

KEY = b"a key of the tests, of which nobody knows"
# What the copy has pseudonyms or nothing in place of.
IDENTIFYING = {
    *("contact_id", "primary_contact_id", "merged_contact_id", "merged_into_contact_id", "survivor_contact_id"),
    *("contact_name", "user_id", "user_name", "user_reference", "event_id", "superseded_by", "source_file", "detail"),
    *("raw_record", "unmatched_source", "header", "event_key", "message_id", "shown_name"),
}
FUNCTIONS = [
    *(f"contacts_{name}_between" for name in ("overview", "added", "connected", "compared")),
    *(f"contacts_{name}_log_between" for name in ("added", "connected", "deleted", "merged")),
    "component_states",
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(sample: Pipeline) -> Settings:
    MaskedCopy(sample.settings, KEY).publish(sample.settings.published)
    return sample.settings


@pytest.fixture(scope="module")
def source(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(settings.published), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def masked(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(settings.masked), read_only=True) as connection:
        yield connection


def texts(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    return {str(value) for row in connection.execute(query).fetchall() for value in row if value is not None}


def views_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    query = """
        select table_schema || '.' || table_name from information_schema.tables
        where table_schema in ('reports', 'quality', 'marts') order by all"""
    return [name for (name,) in connection.execute(query).fetchall()]


def number(contact_id: int) -> int:
    return int(pseudonym(KEY, "contact", str(contact_id))[:16], 16) & (2**63 - 1)


def test_no_name_and_no_id_is_in_its_bytes_or_in_a_value(
    settings: Settings, source: duckdb.DuckDBPyConnection, masked: duckdb.DuckDBPyConnection
) -> None:
    names = texts(source, "select contact_name from quality.event_records union select user_name from marts.dim_user")
    ids = texts(source, "select contact_id from quality.event_records union select user_id from marts.dim_user")
    events = texts(source, "select event_id from quality.event_records where length(event_id) > 6")
    # Some contacts are called like a source or a workspace, which stay.
    stays = texts(
        source, "from reports.workspaces union all select source, source_label, label_fr from reports.sources"
    )
    names = {name for name in names if not any(name in text for text in stays)}
    assert min(len(names), len(ids), len(events)) > 1_000
    content = settings.masked.read_bytes()
    long_names = {name for name in names if len(name) > 5 and not name.isdigit()}
    assert not [name for name in long_names if name.encode() in content]
    tables = masked.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name <> 'seeds'"
    ).fetchall()
    views = [("", name) for name in views_of(masked)]
    found: set[str] = set()
    for schema, table in [*tables, *views]:
        name = f"{schema}.{table}" if schema else table
        columns = [
            column
            for column, column_type, *_ in masked.execute(f"describe {name}").fetchall()
            if column_type in ("VARCHAR", "UBIGINT") or column in IDENTIFYING
        ]
        if columns:
            found |= texts(
                masked, f"select distinct unnest([{', '.join(f'{one}::varchar' for one in columns)}]) from {name}"
            )
    assert not found & (names | ids | events)
    # Nor as a part of a text, such as an id in the id of an event.
    words = {word for text in found for word in re.findall(r"\w+(?: \w+)*|\w+", text)}
    assert not words & (long_names | {one for one in ids if len(one) > 5})


def test_every_view_is_equal_but_for_what_identifies(
    source: duckdb.DuckDBPyConnection, masked: duckdb.DuckDBPyConnection
) -> None:
    assert views_of(masked) == views_of(source)
    for view in views_of(source):
        columns = [
            column
            for column, *_ in source.execute(f"describe {view}").fetchall()
            if column not in IDENTIFYING
            and not (view == "reports.filter_values" and column not in ("workspace_id", "filter"))
        ]
        query = f"select {', '.join(columns)} from {view} order by all"
        if view == "quality.landed_records":
            query = f"select {', '.join(columns)} from {view} where route <> 'webhook' order by all"
        assert masked.execute(query).fetchall() == source.execute(query).fetchall(), view


def test_one_contact_has_one_pseudonym_everywhere_and_filters_find_it(
    source: duckdb.DuckDBPyConnection, masked: duckdb.DuckDBPyConnection
) -> None:
    for log, ids in {"added": "contact_id", "connected": "contact_id", "merged": "primary_contact_id"}.items():
        view = f"reports.contacts_{log}_log"
        found = source.execute(f"select workspace_id, occurred_at::varchar, {ids} from {view} order by all").fetchall()
        expected = sorted((workspace, when, number(contact)) for workspace, when, contact in found)
        assert (
            sorted(masked.execute(f"select workspace_id, occurred_at::varchar, {ids} from {view}").fetchall())
            == expected
        )
        named = masked.execute(f"select count(*) from {view} where contact_name <> 'Contact ' || {ids}").fetchone()
        assert named == (0,)
    (contact, merged), *_ = source.execute(
        """
        select primary_contact_id, merged_contact_id from reports.contacts_merged_log
        where merged_contact_id is not null limit 1"""
    ).fetchall()
    for function in FUNCTIONS:
        private = [
            column
            for column, *_ in source.execute(f"describe from reports.{function}('2000-01-01', '2049-01-01')").fetchall()
            if column in IDENTIFYING
        ]
        columns = f"* exclude ({', '.join(private)})" if private else "*"
        query = (
            f"select {columns} from reports.{{}}('2000-01-01', '2049-01-01', contact_ids := [{{}}, {{}}]) order by all"
        )
        expected_rows = source.execute(query.format(function, contact, merged)).fetchall()
        assert masked.execute(query.format(function, number(contact), number(merged))).fetchall() == expected_rows
    lifecycle = source.execute(
        "select survivor_contact_id from reports.contacts_lifecycle where contact_id = $1", [merged]
    )
    (survivor,) = lifecycle.fetchone() or (None,)
    assert survivor is not None
    masked_one = masked.execute(
        "select survivor_contact_id from reports.contacts_lifecycle where contact_id = $1", [number(merged)]
    )
    assert masked_one.fetchone() == (number(survivor),)


def test_it_is_known_from_its_place_and_mended(sample: Pipeline, settings: Settings, tmp_path: Path) -> None:
    copy = MaskedCopy(settings, KEY)
    assert copy.differences(settings.published) == []
    assert settings.masked.stat().st_mode & 0o777 == 0o400
    assert settings.masked.parent.stat().st_mode & 0o777 == 0o700
    other = settings.model_copy(update={"data": tmp_path})
    other.published.parent.mkdir()
    elsewhere = MaskedCopy(other, KEY)
    assert elsewhere.differences(settings.published) == [f"{other.masked} is missing"]
    elsewhere.publish(settings.published)
    other.masked.chmod(0o600)
    with duckdb.connect(str(other.masked)) as connection:
        connection.execute("delete from marts.fct_contacts_added where source = 'user'")
    assert elsewhere.differences(settings.published) == ["marts.fct_contacts_added differs"]
    other.masked.with_name(f".{other.masked.name}.new").write_text("of one that was killed")
    elsewhere.publish(settings.published)
    assert elsewhere.differences(settings.published) == []
    assert [path.name for path in other.masked.parent.iterdir()] == [other.masked.name]
    assert copy.target != MaskedCopy(settings, KEY + b"2").target


def test_a_column_that_nobody_classified_is_not_published(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "contact_reports.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create schema marts; create table marts.fct_more as select 'x' as nickname, 1 as contact_id"
        )
        with pytest.raises(Problem, match=r"these columns identify: marts[.]fct_more[.]nickname"):
            tables_to_copy(connection, "contact_reports")


def test_every_column_of_the_published_file_is_classified(source: duckdb.DuckDBPyConnection) -> None:
    assert len(tables_to_copy(source, "contact_reports")) > 30
