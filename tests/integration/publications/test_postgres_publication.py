"""What PostgreSQL holds after publications, and what a publication refuses."""

from pathlib import Path

import psycopg2
import pytest
from pydantic import SecretStr

from orchestration.lib.problems import Problem
from publications.postgres import checking, work
from publications.postgres.address import Address
from publications.postgres.connection import only_publisher
from tests.integration.publications.in_postgresql import assert_equal, publication, publish, query
from tests.integration.publications.made_files import write_difficult, write_version

LOG = "reports.contacts_added_log"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contact_reports.duckdb"


def test_only_what_differs_from_the_last_publication_moves(database: str, file: Path) -> None:
    first = publish(database, write_version(file, 1, rows=3000))
    assert first.moved == sum(first.rows.values())
    assert_equal(database, file)
    assert publish(database, file).moved == 0
    second = publish(database, write_version(file, 2, rows=3010))
    # 2 % of the names changed, and a row goes and comes for each; a part has the rows of a day.
    assert 0 < second.moved < 1500
    assert_equal(database, file)
    assert publication(database).differences(file) == []


def test_rows_and_workspaces_that_are_gone_from_the_file_are_gone(database: str, file: Path) -> None:
    publish(database, write_version(file, 1, rows=500, workspaces=4))
    publish(database, write_version(file, 1, rows=400, workspaces=2))
    assert_equal(database, file)
    assert query(database, f"select distinct workspace_id from {LOG} order by 1") == [("w0",), ("w1",)]


@pytest.mark.parametrize(
    "edit",
    [
        f"update {LOG} set contact_name = 'Mallory' where contact_id = 17",
        f"delete from {LOG} where contact_id = 17",
        f"insert into {LOG} select (jsonb_populate_record(t, '{{\"contact_id\": 99999}}')).* from {LOG} t limit 1",
        f"truncate {LOG}",
        f"drop table {LOG} cascade",
        f"create table kept as table {LOG}; drop table {LOG} cascade; create table {LOG} as table kept",
        f"alter table {LOG} drop column user_name",
        f"alter table {LOG} add column extra text; update {LOG} set extra = 'x'",
        f"alter table {LOG} alter column user_id type bigint using user_id::bigint",
        "drop schema contact_reports cascade",
        "delete from contact_reports.checksums where bucket = 0",
        "drop schema reports cascade; drop schema quality cascade",
    ],
)
def test_what_somebody_edited_is_mended_by_the_next_publication(database: str, file: Path, edit: str) -> None:
    publish(database, write_version(file, 1, rows=300))
    query(database, edit)
    publish(database, file)
    assert_equal(database, file)
    assert publish(database, file).moved == 0
    assert publication(database).differences(file) == []


def test_rows_that_were_edited_behind_the_trigger_are_found_by_the_check_and_then_mended(
    database: str, file: Path
) -> None:
    publish(database, write_version(file, 1, rows=300))
    query(database, f"set session_replication_role = replica; update {LOG} set user_name = 'M' where contact_id = 5")
    (difference,) = publication(database).differences(file)
    assert LOG in difference
    publish(database, file)
    assert_equal(database, file)


def test_of_a_large_publication_the_check_reads_back_what_was_written_and_a_sample(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_ROWS", 150)
    publish(database, write_version(file, 1, rows=3000))
    assert work.differences(Address(SecretStr(database)), "1GB", file) == []
    query(database, f"set session_replication_role = replica; update {LOG} set user_name = 'M'")
    (difference,) = work.differences(Address(SecretStr(database)), "1GB", file)
    assert LOG in difference
    publish(database, file)
    assert_equal(database, file)


def test_the_check_names_the_tables_that_differ_from_a_newer_file(database: str, file: Path) -> None:
    assert publication(database).differences(write_version(file, 1, rows=10)) == [
        "Nothing was published to PostgreSQL yet"
    ]
    publish(database, file)
    found = publication(database).differences(write_version(file, 2, rows=200))
    assert {line.split()[0] for line in found} == {LOG, "reports.contacts_overview", "reports.report_labels"}


def test_a_restored_state_of_earlier_is_brought_up_to_date(database: str, file: Path) -> None:
    publish(database, write_version(file, 1, rows=300))
    tables = [f"reports.{name}" for name in ("contacts_added_log", "contacts_overview", "report_labels")]
    query(database, "create schema backup")
    for table in [*tables, "contact_reports.checksums"]:
        query(database, f"create table backup.{table.split('.')[1]} as table {table}")
    publish(database, write_version(file, 2, rows=350))
    for table in [*tables, "contact_reports.checksums"]:
        query(database, f"delete from {table}; insert into {table} table backup.{table.split('.')[1]}")
    publish(database, file)
    assert_equal(database, file)


def test_values_that_postgresql_has_in_another_way_arrive(database: str, file: Path) -> None:
    publish(database, write_difficult(file))
    rows = query(
        database,
        """select nul, length(long), color, list, struct, day::text, instant::text, wall::text, number, amount::text,
        empty         from reports.difficult order by "group" nulls last limit 1""",
    )
    assert rows[0][:5] == ("before\ufffdafter", 3_000_000, "red", '["a","b,\\"c",null]', '{"a":1,"b":"x"}')
    assert rows[0][5:8] == ("infinity", "infinity", "-infinity")
    ((both, count),) = query(
        database, "select count(distinct struct), count(*) from reports.difficult where \"group\" = 'b'"
    )
    assert (both, count) == (1, 2)
    assert publication(database).differences(file) == []
    assert publish(database, file).moved == 0
    assert query(database, "select col_description('reports.difficult'::regclass, 3)") == [
        ("It's a text; with 'quotes'",)
    ]
    ((no_rows,),) = query(database, "select count(*) from quality.nothing")
    assert no_rows == 0


def test_a_publication_that_changes_nothing_runs_no_statement_that_changes_something(database: str, file: Path) -> None:
    publish(database, write_version(file, 1, rows=100))

    def versions() -> list[tuple[object, ...]]:
        catalogs = ("pg_class", "pg_proc", "pg_trigger", "pg_constraint", "pg_description", "pg_attribute")
        return query(
            database,
            " union all ".join(f"select '{one}', count(*), max(xmin::text::bigint) from {one}" for one in catalogs)
            + f" union all select 'log', count(*), max(xmin::text::bigint) from {LOG}",
        )

    before = versions()
    publish(database, file)
    assert versions() == before


def test_its_state_changes_with_what_others_write_drop_and_restore(database: str, file: Path) -> None:
    one = publication(database)
    assert one.state() == ""
    publish(database, write_version(file, 1, rows=10))
    published = one.state()
    assert published != ""
    # What readers add to the schemas is theirs.
    query(database, f"create index on {LOG} (user_name); create view reports.theirs as select 1 as one")
    assert one.state() == published
    states = {published}
    for edit in (
        f"update {LOG} set user_name = 'M'",
        "drop table reports.report_labels",
        "drop index reports.contacts_added_log_index_1",
        # What a backup of yesterday brings back.
        "update contact_reports.published set at = at - interval '1 day'",
    ):
        query(database, edit)
        states.add(one.state())
    assert len(states) == 5
    query(database, "drop schema reports cascade; drop schema quality cascade; drop schema contact_reports cascade")
    assert one.state() == ""


def test_readers_may_read_and_not_write(database: str, file: Path) -> None:
    publish(database, write_version(file, 1, rows=10))
    query(database, "drop role if exists analyst")
    query(database, "create role analyst login in role contact_reports_reader")
    reader = database.replace("postgres@", "analyst@")
    assert query(reader, f"select count(*) from {LOG}") == [(10,)]
    for refused in (
        f"delete from {LOG}",
        f"insert into {LOG} default values",
        "create table reports.mine (a int)",
        "select * from contact_reports.checksums",
        "insert into contact_reports.touched values ('x')",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            query(reader, refused)


def test_a_user_who_may_not_create_roles_publishes_with_a_note(server: str, database: str, file: Path) -> None:
    query(server, "drop role if exists plain_publisher")
    query(server, "create role plain_publisher login")
    query(server, f"grant create on database {database.rsplit('/', 1)[1]} to plain_publisher")
    publisher = database.replace("postgres@", "plain_publisher@")
    # Roles belong to the server: an earlier test may have made it.
    query(server, "alter role contact_reports_reader rename to somebody_else" if _has_reader(server) else "select 1")
    try:
        published = publish(publisher, write_version(file, 1, rows=10))
        assert ["create role contact_reports_reader" in note for note in published.notes] == [True]
        assert_equal(publisher, file)
    finally:
        if query(server, "select 1 from pg_roles where rolname = 'somebody_else'"):
            query(server, "alter role somebody_else rename to contact_reports_reader")
    query(server, "create role contact_reports_reader" if not _has_reader(server) else "select 1")
    assert publish(publisher, file).notes == ()


def _has_reader(server: str) -> bool:
    return bool(query(server, "select 1 from pg_roles where rolname = 'contact_reports_reader'"))


def test_a_schema_of_others_is_left_alone(database: str, file: Path) -> None:
    query(database, "create schema reports; create table reports.workspaces (theirs text)")
    with pytest.raises(Problem, match="The schema reports of the database has tables or functions of others"):
        publish(database, write_version(file, 1, rows=10))
    assert query(database, "select count(*) from reports.workspaces") == [(0,)]


def test_what_users_made_on_the_tables_stays(database: str, file: Path) -> None:
    publish(database, write_version(file, 1, rows=10))
    query(database, f"create view public.mine as select count(*) as n from {LOG}; create table reports.notes (a int)")
    publish(database, write_version(file, 2, rows=20))
    assert query(database, "select n from public.mine") == [(20,)]
    assert query(database, "select * from reports.notes") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace("127.0.0.1", "127.0.0.1:1"), "cannot be reached"),
        (lambda url: url + "_of_nobody", "has no such database"),
        (lambda url: url.replace("postgres:", "nobody:"), "has no such user"),
    ],
)
def test_a_wrong_address_is_a_problem_of_one_line_without_the_password(
    database: str, file: Path, change: object, said: str
) -> None:
    address = database.replace("postgres@", "postgres:geh%40im@")
    wrong = change(address)  # type: ignore[operator]
    if "127.0.0.1:1:" in wrong:
        wrong = wrong.replace(wrong.split("127.0.0.1:1")[1].split("/")[0], "")
    for attempt in (publication(wrong).publish, publication(wrong).differences):
        with pytest.raises(Problem, match=said) as raised:
            attempt(write_version(file, 1, rows=1))
        assert "geh" not in str(raised.value) and "\n" not in str(raised.value)
        assert raised.value.__cause__ is None
    assert "geh" not in publication(address).target


def test_a_user_without_rights_is_told_what_to_grant(server: str, database: str, file: Path) -> None:
    query(server, "drop role if exists without_rights")
    query(server, "create role without_rights login")
    with pytest.raises(Problem, match="does not permit the user to publish .*Grant it `create` on the database"):
        publish(database.replace("postgres@", "without_rights@"), write_version(file, 1, rows=1))


def test_a_second_publisher_is_refused_while_the_first_one_works(database: str, file: Path) -> None:

    with (
        only_publisher(Address(SecretStr(database))),
        pytest.raises(Problem, match="Another publisher writes to PostgreSQL") as raised,
    ):
        publish(database, write_version(file, 1, rows=1))
    assert raised.value.is_transient
    publish(database, file)
    assert_equal(database, file)
