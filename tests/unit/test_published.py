"""The published file and other programs: what they leave beside it, and what one that somebody else made can do."""

import os
import stat
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import Settings, read_settings
from orchestration.lib.warehouse.build import mark_as_tested, remove_mark, require_tested
from orchestration.lib.warehouse.provenance import is_whole
from orchestration.lib.warehouse.publish import publish
from orchestration.lib.warehouse.published import attach_published, found_beside, open_published, remove_beside
from orchestration.lib.warehouse.rebuild import published_days
from orchestration.lib.warehouse.state import read_state
from orchestration.lib.warehouse.verify import verify
from tests.faults.foreign import leave_beside, rows, writing_into

ALL = "select i from t order by all"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path / "data"))
    return read_settings()


def build(settings: Settings, *numbers: int) -> None:
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create table t as select unnest($1) as i", [list(numbers)])


@pytest.fixture
def published(settings: Settings) -> Path:
    build(settings, 1, 2)
    publish(settings)
    return settings.published


def test_the_published_file_has_no_write_permission(published: Path) -> None:
    assert stat.S_IMODE(published.stat().st_mode) & 0o222 == 0


def test_what_a_program_that_was_killed_left_is_not_replayed_over_the_next_publication(
    settings: Settings, published: Path
) -> None:
    log = leave_beside(published, "insert into t values (99)")
    assert rows(published, ALL) == [(1,), (2,), (99,)], "which is what is wrong with it"
    build(settings, 1, 2, 3)
    (warning,) = publish(settings)
    assert warning.startswith(f"{log} was removed: a program wrote into the published file and was ended")
    assert not log.exists()
    assert rows(published, ALL) == [(1,), (2,), (3,)]
    assert stat.S_IMODE(published.stat().st_mode) & 0o222 == 0


def test_a_warehouse_file_that_no_run_has_tested_is_not_to_be_published(settings: Settings) -> None:
    with pytest.raises(Problem, match="There is no tested warehouse file"):
        require_tested(settings)
    build(settings, 1)
    with pytest.raises(Problem, match="There is no tested warehouse file"):
        require_tested(settings)
    mark_as_tested(settings)
    require_tested(settings)
    publish(settings)
    with pytest.raises(Problem, match="There is no tested warehouse file"):
        require_tested(settings)
    build(settings, 2)
    remove_mark(settings)
    with pytest.raises(Problem, match="There is no tested warehouse file"):
        require_tested(settings)


def test_a_log_from_before_the_first_publication_is_removed_too(settings: Settings, published: Path) -> None:
    leave_beside(published, "insert into t values (99)")
    published.unlink()
    build(settings, 1)
    assert len(publish(settings)) == 1
    assert rows(published, ALL) == [(1,)]


@pytest.mark.parametrize("suffix", [".wal", ".wal.checkpoint", ".wal.recovery"])
@pytest.mark.parametrize("kind", ["file", "folder", "dead link", "link to the publication"])
def test_everything_that_duckdb_would_replay_is_removed_whatever_it_is(published: Path, suffix: str, kind: str) -> None:
    beside = published.with_name(published.name + suffix)
    match kind:
        case "file":
            beside.write_bytes(b"anything")
        case "folder":
            (beside / "in it").mkdir(parents=True)
        case "dead link":
            beside.symlink_to("nowhere")
        case _:
            beside.symlink_to(published)
    content = published.read_bytes()
    assert found_beside(published) == [beside]
    assert len(remove_beside(published)) == 1
    assert not os.path.lexists(beside)
    assert published.read_bytes() == content
    assert remove_beside(published) == []


def test_what_people_and_readers_keep_beside_it_stays(published: Path) -> None:
    kept = [published.with_name(published.name + suffix) for suffix in (".bak", ".tmp", ".wal.old")]
    for path in kept:
        path.touch()
    assert remove_beside(published) == []
    assert all(path.exists() for path in kept)


def test_nothing_is_published_or_removed_while_a_program_writes(settings: Settings, published: Path) -> None:
    build(settings, 1, 2, 3)
    with writing_into(published, "insert into t values (99)"):
        with pytest.raises(Problem, match=rf"{published} is open for writing in another program\. Open .* read-only"):
            remove_beside(published)
        with pytest.raises(Problem, match="is open for writing in another program"):
            publish(settings)
        assert found_beside(published)
    assert len(publish(settings)) == 1
    assert rows(published, ALL) == [(1,), (2,), (3,)]


def test_readers_do_not_keep_a_publication_from_being_replaced(settings: Settings, published: Path) -> None:
    build(settings, 3)
    with duckdb.connect(str(published), read_only=True) as reader:
        assert publish(settings) == []
        assert reader.execute(ALL).fetchall() == [(1,), (2,)]
    assert rows(published, ALL) == [(3,)]


# A publication that somebody else made.

ELSEWHERE = "what another file says"


@pytest.fixture
def hostile(settings: Settings, tmp_path: Path) -> Path:
    """A file whose table is named like a statement, whose views read files, whose functions are called like others."""
    secret = tmp_path / "secret"
    secret.write_text(ELSEWHERE)
    settings.published.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.published)) as connection:
        connection.execute(f"""
            create schema intermediate; create schema marts; create schema reports; create schema quality;
            create table t (i integer);
            -- Without quoting, the name of the second table is a query of the first one and then a copy statement.
            create table a (i integer);
            create table "a""; copy (select 1) to '{tmp_path / "written"}'; --" as select 1 as "i""j";
            create view intermediate.build_state as
            select content as zone_id, content as raw_zone, 1 as batch_id, content as batches, content as rules
            from read_text('{secret}');
            create view marts.fct_contact_events as
            select content as workspace_id, date '2026-01-01' as report_date from read_text('{secret}');
            create view intermediate.int_rejected_records as
            select 1 as file_id, 1 as source_line, content as reject_reason from read_text('{secret}');
            create macro hash(anything) as 42;
            create macro sum(anything) as 'a text';
            create macro count() as 'a text'""")
    return settings.published


def test_names_of_tables_are_not_executed(settings: Settings, hostile: Path, tmp_path: Path) -> None:
    assert is_whole(settings)
    assert not (tmp_path / "written").exists()


def test_views_of_a_publication_read_no_files(settings: Settings, hostile: Path) -> None:
    assert read_state(hostile) is None
    assert published_days(settings) is None
    with open_published(hostile) as connection, pytest.raises(duckdb.PermissionException):
        connection.execute("from marts.fct_contact_events")


def test_views_that_verify_counts_in_read_no_files(settings: Settings, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(ELSEWHERE)
    settings.published.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.published)) as connection:
        connection.execute(f"""
            create schema intermediate;
            create table intermediate.build_state as
            select 'z' as zone_id, 'r' as raw_zone, 0 as batch_id, 'b' as batches, 'u' as rules;
            create view intermediate.int_file_records as
            select content::integer as records_landed from read_text('{secret}')""")
    RawZone(settings.raw).prepare()
    # A view that is executed ends with DuckDB's ConversionException, which shows the content of the file.
    with pytest.raises(Problem, match="is damaged, or of another layout"):
        verify(settings)


def test_functions_of_a_publication_do_not_take_the_place_of_duckdbs(hostile: Path) -> None:
    with duckdb.connect() as connection:
        attach_published(connection, hostile)
        assert connection.execute("select sum(i), count() from contact_reports.main.t").fetchall() == [(None, 0)]


@pytest.mark.parametrize(
    "statement",
    [
        "from read_text('/etc/passwd')",
        "attach ':memory:' as another; attach '/tmp/contact_reports_escape.duckdb'",
        "copy (select 1) to '/tmp/contact_reports_escape.csv'",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "set memory_limit = '1TB'",
        "load httpfs",
    ],
)
def test_an_attached_publication_reaches_nothing_and_changes_no_setting(published: Path, statement: str) -> None:
    with duckdb.connect() as connection:
        attach_published(connection, published)
        with pytest.raises(duckdb.Error):
            connection.execute(statement)
