"""Merged folders hold the same rows in the same order as those that they are made of, whatever happens meanwhile."""

import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.extraction.extract import extract
from orchestration.lib.landing.listing import Landing
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.compaction import compact
from orchestration.lib.raw_zone.zone import PARQUET_OPTIONS, RawZone, parquet_files
from orchestration.lib.sql import sql_text
from orchestration.lib.warehouse.verify import _link_batches
from tests.integration.extraction.place import Place, json_lines
from tests.integration.extraction.test_kills import die_before_change, in_child

Rows = list[tuple[object, ...]]


def add_batch(zone: RawZone, rows: int, parts: int = 1) -> None:
    """Commit a batch of events as the next one, with a manifest and in several files."""
    number = zone.newest_batch() + 1
    with zone.incoming() as folder, duckdb.connect() as connection:
        for part in range(parts):
            connection.execute(
                f"""
                copy (
                    select {number}::bigint as batch_id, {number}::bigint as file_id, range + 1 as source_line,
                        md5('{number}/{part}/' || range)::varchar as event_id
                    from range({rows})
                ) to {sql_text(folder / f"events-{part + 1}.parquet")} ({PARQUET_OPTIONS})"""
            )
        connection.execute(
            f"""
            copy (
                select {number}::bigint as batch_id, {number}::bigint as file_id, 'sha' as sha256,
                    to_timestamp({number}) as loaded_at
            ) to {sql_text(folder / "files-0.parquet")} ({PARQUET_OPTIONS})"""
        )
        zone.commit(folder, number)


def prepared(folder: Path) -> RawZone:
    zone = RawZone(folder)
    zone.prepare()
    # The rows written here have fewer columns.
    for table in ("events", "files"):
        (zone.folder_of(0) / f"{table}-0.parquet").unlink()
    return zone


def rows_of(zone: RawZone, table: str = "events") -> Rows:
    """The rows as they stand, one file after the other."""
    with duckdb.connect() as connection:
        return connection.execute(f"from {zone.reading(table)}").fetchall()


def rows_by_pattern(zone: RawZone, table: str = "events") -> Rows:
    """The rows as models read them."""
    with duckdb.connect() as connection:
        query = f"from read_parquet('{zone.path}/batches-*/{table}-*.parquet', hive_partitioning = false) order by all"
        return connection.execute(query).fetchall()


def ranges(zone: RawZone) -> list[tuple[int, int]]:
    return [(folder.first, folder.last) for folder in zone.folders()]


@pytest.fixture
def zone(tmp_path: Path) -> RawZone:
    return prepared(tmp_path / "raw")


@pytest.mark.parametrize("seed", range(2))
def test_any_sequence_of_batches_and_merges_leaves_the_same_rows_in_the_same_order(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    merged, plain = prepared(tmp_path / "merged"), prepared(tmp_path / "plain")
    for _ in range(30):
        match rng.choices(("batch", "merge", "prepare", "lose"), (20, 8, 2, 1))[0]:
            case "batch":
                rows, parts = rng.choice((1, 3, 1500)), rng.choice((1, 1, 2))
                # The number of one that is lost is taken again.
                for zone in (merged, plain):
                    add_batch(zone, rows, parts)
            case "merge":
                compact(merged, growth=rng.choice((2, 4, 8)))
            case "prepare":
                merged.prepare()
                for table in ("events", "files"):
                    (merged.folder_of(0) / f"{table}-0.parquet").unlink()
            case "lose" if len(merged.folders()) > 1:
                lost = rng.choice(merged.folders()[1:])
                for folder in (*plain.folders(), lost):
                    if lost.first <= folder.first <= lost.last:
                        shutil.rmtree(folder.path)
        newest = merged.newest_batch()
        assert newest == plain.newest_batch()
        if newest:
            assert rows_of(merged) == rows_of(plain)
            assert rows_of(merged, "files") == rows_of(plain, "files")
            assert merged.fingerprint(newest) == plain.fingerprint(newest)
            assert merged.fingerprint(newest // 2) == plain.fingerprint(newest // 2)
    assert len(merged.folders()) < len(plain.folders())


def test_what_is_merged_is_found_by_its_batch_in_the_last_row_groups(zone: RawZone) -> None:
    for _ in range(4):
        add_batch(zone, rows=130_000)
    assert compact(zone, growth=2) == 4
    assert ranges(zone) == [(0, 0), (1, 4)]
    with duckdb.connect() as connection:
        (plan,) = connection.execute(
            f"explain analyze select * from {zone.reading('events')} where batch_id > 3"
        ).fetchall()
        groups = connection.execute(
            "select stats_min_value::int, stats_max_value::int from parquet_metadata($1) "
            "where path_in_schema = 'batch_id' order by row_group_id",
            [str(zone.files("events")[0])],
        ).fetchall()
    assert "130,000 rows" in plan[1]
    assert groups == sorted(groups) and all(newest - oldest <= 1 for oldest, newest in groups)


def test_nothing_is_merged_over_a_gap_nor_what_is_large_already(zone: RawZone) -> None:
    for _ in range(7):
        add_batch(zone, rows=1)
    shutil.rmtree(zone.folder_of(4))
    compact(zone, growth=2)
    assert ranges(zone) == [(0, 0), (1, 3), (5, 7)]
    add_batch(zone, rows=1)
    assert compact(zone, growth=2, large_bytes=64 << 10) == 0


def test_nothing_is_merged_while_somebody_relies_on_the_zone(zone: RawZone) -> None:
    for _ in range(3):
        add_batch(zone, rows=1)
    with zone.at_rest(), zone.at_rest():
        assert compact(zone, growth=2) == 0
        assert len(zone.folders()) == 4
    assert compact(zone, growth=2) == 3


def test_verify_reads_the_batches_up_to_the_published_one_of_a_folder_that_has_later_ones(
    zone: RawZone, tmp_path: Path
) -> None:
    for _ in range(6):
        add_batch(zone, rows=10)
    before = [row for row in rows_of(zone) if row[0] <= 5]  # type: ignore[operator]
    for folder in (zone.folder_of(1), zone.folder_of(2)):
        folder.rename(zone.path / f".kept-{folder.name}")
    compact(zone, growth=2)
    for kept in zone.path.glob(".kept-*"):
        kept.rename(zone.path / kept.name.removeprefix(".kept-"))
    assert ranges(zone) == [(0, 0), (1, 1), (2, 2), (3, 6)]
    _link_batches(zone, tmp_path / "links", 5)
    assert rows_of(RawZone(tmp_path / "links")) == before


def test_folders_that_have_some_batches_in_common_are_named(zone: RawZone) -> None:
    for _ in range(3):
        add_batch(zone, rows=1)
    zone.folder_of(2).rename(zone.path / "batches-1-2")
    zone.folder_of(3).rename(zone.path / "batches-2-3")
    with pytest.raises(Problem, match="batches-1-2 and .*batches-2-3 have batches in common"):
        zone.prepare()
    assert len(list(zone.path.glob("batches-*"))) == 4


def test_a_folder_within_a_wider_one_that_has_other_files_is_named_and_not_removed(
    zone: RawZone, tmp_path: Path
) -> None:
    other = prepared(tmp_path / "other")
    for _ in range(3):
        add_batch(zone, rows=1)
        add_batch(other, rows=1)
    compact(zone, growth=2)
    shutil.copytree(other.folder_of(2), zone.path / "batches-2-2")
    zone.prepare()
    assert not (zone.path / "batches-2-2").exists()
    with duckdb.connect() as connection:
        (manifest,) = parquet_files(other.folder_of(3), "files")
        connection.execute(f"copy (select * replace ('other' as sha256) from '{manifest}') to '{manifest}'")
    shutil.copytree(other.folder_of(3), zone.path / "batches-3-3")
    with pytest.raises(Problem, match="batches-3-3 and .*batches-1-3 have batches in common"):
        zone.prepare()
    assert (zone.path / "batches-3-3").exists()


def die_at_every_change_of_a_merge(zone: Path, folder: Path) -> int:
    """Kill merges of copies of a zone, each before another change to the disk. Returns the number of changes."""
    changes = 0
    while True:
        shutil.copytree(zone, folder / str(changes))
        if in_child(partial(merge_and_die, folder / str(changes), changes)) != "killed":
            return changes
        changes += 1


def merge_and_die(zone: Path, die_at: int) -> None:
    die_before_change(die_at)
    assert compact(RawZone(zone), growth=2)


@pytest.fixture
def clean_process() -> Iterator[ProcessPoolExecutor]:
    """A process without threads or open connections."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.slow
def test_a_merge_killed_before_any_change_on_the_disk_neither_loses_nor_doubles_a_row(
    place: Place, tmp_path: Path, clean_process: ProcessPoolExecutor
) -> None:
    for number in range(3):
        place.land(f"1/events/{number}.jsonl", json_lines(*range(10 * number, 10 * number + 10)))
        place.land("1/users/u.csv", f"user_id,user_name\n1,A{number}\n")
        place.extract()
    whole = RawZone(place.raw)
    expected = {table: rows_by_pattern(whole, table) for table in ("events", "users", "files", "workspaces")}
    assert len(expected["events"]) == 30

    changes = clean_process.submit(die_at_every_change_of_a_merge, place.raw, tmp_path / "killed").result()

    assert changes > 10
    both = 0
    place.land("1/events/last.jsonl", json_lines(99))
    for number in range(changes + 1):
        zone = RawZone(tmp_path / "killed" / str(number))
        both += len(list(zone.path.glob("batches-*"))) > len(zone.folders())
        # Who reads beside it, before anybody has cleared up.
        assert all(sorted(rows_of(zone, table), key=repr) == sorted(rows, key=repr) for table, rows in expected.items())
        zone.prepare()
        assert all(rows_by_pattern(zone, table) == rows for table, rows in expected.items())
        assert zone.fingerprint(3) == whole.fingerprint(3)
        # The next run, the one after it, and the merge that was killed.
        for files in (1, 0):
            cache = tmp_path / "state" / str(number)
            assert extract(Landing(str(place.landing)), zone, cache).files == files
        compact(zone, growth=2)
        assert ranges(zone) == [(0, 0), (1, 4)]
        assert len(rows_by_pattern(zone)) == 31
    assert both > 5


@pytest.mark.parametrize("note", [None, "{}"])
def test_a_zone_with_records_of_other_columns_is_refused_and_an_empty_one_gets_those_of_today(
    place: Place, note: str | None
) -> None:
    def become_of_another_version() -> None:
        columns = place.raw / "batches-0-0" / "columns.json"
        columns.unlink() if note is None else columns.write_text(note)

    zone = RawZone(place.raw)
    zone.prepare()
    become_of_another_version()
    place.land("1/events/a.jsonl", json_lines(1))
    assert place.extract().batch_id == 1
    become_of_another_version()

    with pytest.raises(Problem, match="was written by another version of contact-reports"):
        place.extract()

    shutil.rmtree(place.raw)
    assert place.extract().batch_id == 1
