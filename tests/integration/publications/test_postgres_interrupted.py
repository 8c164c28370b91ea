"""Publications that are killed or cut, and two at once: readers see whole publications, and the next one ends equal."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestration.lib.problems import Problem
from orchestration.lib.settings import PROJECT_ROOT
from publications.postgres import connection, work
from publications.postgres.address import Address
from tests.integration.publications.in_postgresql import assert_equal, connected, publish, query
from tests.integration.publications.made_files import write_version

pytestmark = pytest.mark.slow

ROWS = {version: 20_000 + 500 * version for version in range(1, 5)}
_WHOLE = """
    select
        (select count(*) from reports.contacts_added_log),
        (select sum(contacts_added)::bigint from reports.contacts_overview),
        (select label::int from reports.report_labels)"""
_OF_PUBLISHERS = "from pg_stat_activity where application_name = 'contact-reports' and datname = current_database()"
_IN_TRANSACTION = f"select count(*) {_OF_PUBLISHERS} and xact_start is not null"
_SENDING = (
    f"select count(*) {_OF_PUBLISHERS} and state = 'active' and query like 'COPY %contacts_added_log% FROM STDIN%'"
)
_CUT = f"select count(pg_terminate_backend(pid)) {_OF_PUBLISHERS}"
_PUBLISH = """
import sys
from pathlib import Path
from tests.integration.publications.in_postgresql import publish
print("ready", flush=True)
sys.stdin.readline()
for file in sys.argv[2:]:
    try:
        publish(sys.argv[1], Path(file))
    except Exception as error:
        print(type(error).__name__, error, flush=True)
"""


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("versions")
    versions = {}
    for version, rows in ROWS.items():
        (folder / str(version)).mkdir()
        path = folder / str(version) / "contact_reports.duckdb"
        versions[version] = write_version(path, version, rows, workspaces=2 + version % 2)
    return versions


@contextmanager
def polled(database: str) -> Iterator[list[tuple[object, ...]]]:
    """What a reader saw that asked all the time. Fails the test when it saw half a publication, or an error."""
    seen: list[tuple[object, ...]] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def poll() -> None:
        try:
            with connected(database) as connection, connection.cursor() as cursor:
                while not ended.is_set():
                    cursor.execute(_WHOLE)
                    row = cursor.fetchone()
                    assert row is not None
                    seen.append(row)
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=poll) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        yield seen
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert seen
    assert set(seen) <= {(rows, rows, version) for version, rows in ROWS.items()}


@contextmanager
def started(database: str, *files: Path) -> Iterator[subprocess.Popen[str]]:
    """A publisher in a process of its own, that waits for a line."""
    with subprocess.Popen(
        [sys.executable, "-c", _PUBLISH, database, *map(str, files)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_readers_see_whole_publications_while_publishers_are_killed(database: str, versions: dict[int, Path]) -> None:
    publish(database, versions[1])
    begun = time.monotonic()
    publish(database, versions[2])
    seconds = time.monotonic() - begun
    held, killed = 2, 0
    rng = random.Random(23)
    with polled(database) as seen:
        for number in range(16):
            version = held % 4 + 1
            with started(database, versions[version]) as process:
                go(process)
                time.sleep(rng.uniform(0.05, 1.1) * seconds)
                killed += process.poll() is None
                process.send_signal(signal.SIGKILL)
            (held,) = {row[2] for row in [query(database, _WHOLE)[0]]}
            if number % 4 == 3:
                publish_at_last(database, versions[held % 4 + 1])
                assert_equal(database, versions[held % 4 + 1])
                held = held % 4 + 1
    assert killed >= 8
    assert len(set(seen)) >= 4


def test_the_first_publication_is_there_whole_or_not_at_all(database: str, versions: dict[int, Path]) -> None:
    rng = random.Random(7)
    for _ in range(5):
        with started(database, versions[1]) as process:
            go(process)
            time.sleep(rng.uniform(0.2, 2.5))
            process.send_signal(signal.SIGKILL)
        there = query(database, "select to_regclass('reports.contacts_added_log') is not null")
        if there == [(True,)]:
            assert query(database, _WHOLE) == [(ROWS[1], ROWS[1], 1)]
    publish_at_last(database, versions[1])
    assert_equal(database, versions[1])


def publish_at_last(database: str, file: Path) -> None:
    """Publish as soon as the server has noticed that the publisher before is gone."""
    for _ in range(60):
        try:
            publish(database, file)
            return
        except Problem as problem:
            assert problem.is_transient
            time.sleep(0.5)
    pytest.fail("the lock of a publisher that was killed was never free")


def test_a_publication_whose_connection_is_cut_says_so_and_the_next_one_ends_equal(
    database: str, versions: dict[int, Path]
) -> None:
    publish(database, versions[1])
    rng = random.Random(11)
    cut = 0
    with polled(database), connected(database) as other, other.cursor() as cursor:
        for number in range(8):
            with started(database, versions[2 + number % 2]) as process:
                go(process)
                ended = 0
                # By turns in a moment of chance, and while rows are sent.
                moment = _SENDING if number % 2 else _IN_TRANSACTION
                while not ended and process.poll() is None:
                    cursor.execute(moment)
                    if cursor.fetchone() == (0,):
                        continue
                    time.sleep(0 if number % 2 else rng.uniform(0, 0.4))
                    cursor.execute(_CUT)
                    (ended,) = cursor.fetchone() or (0,)
                assert process.stdout is not None
                said = process.stdout.read()
            assert process.returncode == 0
            # What was cut after the last statement was published.
            if said:
                cut += 1
                assert "cut the connection" in said, said
                assert len(said.splitlines()) == 1
    assert cut >= 3
    publish(database, versions[4])
    assert_equal(database, versions[4])


def test_the_publisher_ends_with_the_run_that_started_it(database: str, versions: dict[int, Path]) -> None:
    publish(database, versions[1])
    with connected(database) as locking, connected(database) as other, other.cursor() as cursor:
        lock = locking.cursor()
        lock.execute("begin; lock table reports.contacts_added_log in share mode")
        with started(database, versions[2]) as process:
            go(process)
            while True:
                cursor.execute(_IN_TRANSACTION)
                if cursor.fetchone() != (0,):
                    break
            process.send_signal(signal.SIGKILL)
        lock.execute("rollback")
        for _ in range(100):
            cursor.execute(f"select count(*) {_OF_PUBLISHERS}")
            if cursor.fetchone() == (0,):
                break
            time.sleep(0.1)
        else:
            pytest.fail("the publisher goes on without the run")
    assert query(database, _WHOLE) == [(ROWS[1], ROWS[1], 1)]


def test_of_two_publishers_at_once_one_is_refused_and_the_other_one_is_whole(
    database: str, versions: dict[int, Path]
) -> None:
    publish(database, versions[1])
    files = [versions[version] for version in (2, 3, 4, 1, 2, 3)]
    with polled(database) as seen, started(database, *files) as one, started(database, *reversed(files)) as other:
        go(one)
        go(other)
        said = [process.communicate()[0] for process in (one, other)]
    refused = [line for text in said for line in text.splitlines()]
    assert all("Another publisher writes" in line for line in refused), refused
    assert refused and len(refused) < 12
    assert len(set(seen)) >= 2
    publish(database, versions[4])
    assert_equal(database, versions[4])


def test_somebody_who_edits_during_a_publication_is_mended_by_the_next_one(
    database: str, versions: dict[int, Path]
) -> None:
    publish(database, versions[1])
    with started(database, versions[2]) as process, connected(database) as other, other.cursor() as cursor:
        go(process)
        while process.poll() is None:
            cursor.execute(
                "update reports.contacts_added_log set user_name = 'M' where contact_id = %s",
                [random.randrange(20_000)],
            )
            time.sleep(0.02)
    publish(database, versions[2])
    assert_equal(database, versions[2])


def test_a_reader_that_holds_a_lock_does_not_stop_a_publication(database: str, versions: dict[int, Path]) -> None:
    publish(database, versions[1])
    with connected(database) as other, other.cursor() as cursor:
        cursor.execute("begin; select count(*) from reports.contacts_added_log, reports.report_labels")
        publish(database, versions[2])
        cursor.execute("commit")
    assert query(database, _WHOLE) == [(ROWS[2], ROWS[2], 2)]


def test_a_lock_that_shuts_the_publisher_out_is_a_problem_that_may_pass(
    database: str, versions: dict[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(database, versions[1])
    monkeypatch.setattr(connection, "_LOCK_TIMEOUT", "1s")
    with connected(database) as other, other.cursor() as cursor:
        cursor.execute("begin; lock table reports.contacts_added_log in access exclusive mode")
        with pytest.raises(Problem, match="is locked by another session") as raised:
            work.publish(Address(SecretStr(database)), "1GB", versions[2])
        cursor.execute("rollback")
    assert raised.value.is_transient
    publish(database, versions[2])
    assert_equal(database, versions[2])
