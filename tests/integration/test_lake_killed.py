"""A publisher of the lake is killed at any moment: readers find each table as it was or as it will be, and the next
publication makes it equal."""

import multiprocessing
import random
import subprocess
import time
from pathlib import Path

import pytest

from orchestration.lib.problems import Problem
from tests.erasure import traces
from tests.lake_by_hand import TABLES, a_lake, assert_equal, publish_days, rows_of_the_file, rows_of_the_lake

pytestmark = pytest.mark.slow

KILLS = 12
BEFORE = [("acme", "2026-01-05", 3000), ("tui", "2026-02-05", 300)]
AFTER = [("acme", "2026-01-05", 3001), ("new", "2026-02-05", 300)]


def publish(place: Path, file: Path, begun: object) -> None:
    begun.set()  # type: ignore[attr-defined]
    a_lake(place).publish(file)


def test_a_publisher_that_is_killed_leaves_whole_tables_and_the_next_one_ends_equal(tmp_path: Path) -> None:
    files = [
        publish_days(tmp_path / name / "contact_reports.duckdb", days) for name, days in (("0", BEFORE), ("1", AFTER))
    ]
    rows = [{table: rows_of_the_file(file, table) for table in TABLES} for file in files]
    place, processes, chance = tmp_path / "lake", multiprocessing.get_context("spawn"), random.Random(23)
    started = time.monotonic()
    a_lake(place).publish(files[0])
    seconds, killed = time.monotonic() - started, 0
    for number in range(1, KILLS + 1):
        begun = processes.Event()
        publisher = processes.Process(target=publish, args=(place, files[number % 2], begun))
        publisher.start()
        begun.wait()
        publisher.join(chance.uniform(0, 1.2 * seconds))
        publisher.kill()
        publisher.join()
        killed += publisher.exitcode != 0
        for table in TABLES:
            assert rows_of_the_lake(a_lake(place), table) in [state[table] for state in rows], table
        if number % 3 == 0:
            a_lake(place).publish(files[number % 2])
            assert_equal(a_lake(place), files[number % 2])
    assert killed > 0


def test_a_publisher_that_is_killed_while_it_forgets_leaves_no_name_after_the_next_one(tmp_path: Path) -> None:
    place, file = tmp_path / "lake", tmp_path / "file" / "contact_reports.duckdb"
    processes, chance, killed = multiprocessing.get_context("spawn"), random.Random(29), 0
    contacts = [1000 + 3 * number + 1 for number in range(KILLS // 2)]
    a_lake(place).publish(publish_days(file, BEFORE))
    started = time.monotonic()
    a_lake(place).publish(publish_days(file, AFTER))
    seconds = time.monotonic() - started
    for number in range(1, len(contacts) + 1):
        publish_days(file, (BEFORE, AFTER)[number % 2], forgotten=contacts[:number])
        begun = processes.Event()
        publisher = processes.Process(target=publish, args=(place, file, begun))
        publisher.start()
        begun.wait()
        publisher.join(chance.uniform(0.3, 1.2) * seconds)
        publisher.kill()
        publisher.join()
        killed += publisher.exitcode != 0
        a_lake(place).publish(file)
        assert_equal(a_lake(place), file)
        assert traces(place, [f"Zoë {contact}" for contact in contacts[:number]]) == []
    assert killed > 0
    assert traces(place, ["Zoë 999"]) == [], "who never had a name"
    assert traces(place, ["Zoë 998"]) != []


def test_a_full_disk_leaves_the_lake_as_it_was_and_is_a_problem(tmp_path: Path) -> None:
    """In a folder of 4 MB, which a namespace of its own mounts."""
    script = """
import sys
from pathlib import Path
from orchestration.lib.problems import Problem
from tests.lake_by_hand import a_lake, assert_equal, publish_days
place, file = Path(sys.argv[1]), Path(sys.argv[2])
small, large = [("acme", "2026-01-05", 1000)], [("acme", "2026-01-05", 1_000_000)]
a_lake(place).publish(publish_days(file, small))
try:
    a_lake(place).publish(publish_days(file, large))
except Problem as problem:
    print(problem)
assert_equal(a_lake(place), publish_days(file, small))
a_lake(place).publish(publish_days(file, [*small, ("tui", "2026-01-05", 1000)]))
assert_equal(a_lake(place), file)
"""
    import sys

    from orchestration.lib.settings import PROJECT_ROOT

    (tmp_path / "lake").mkdir()
    mounted = f'mount -t tmpfs -o size=4m none "{tmp_path}/lake" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, "sh"]
        + [sys.executable, "-c", script, str(tmp_path / "lake"), str(tmp_path / "file" / "contact_reports.duckdb")],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"The disk of the lake, {tmp_path}/lake, is full" in done.stdout


def test_a_published_file_that_cannot_be_read_is_no_problem_of_the_lake(tmp_path: Path) -> None:
    file = publish_days(tmp_path / "contact_reports.duckdb", BEFORE)
    a_lake(tmp_path / "lake").publish(file)
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match="not a valid DuckDB database file") as raised:
        a_lake(tmp_path / "lake").publish(file)
    assert not isinstance(raised.value, Problem)
