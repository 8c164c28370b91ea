"""Once a contact is forgotten no byte of the lake has its name, whenever the publication was killed before."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable, QueryBuilder

from publications.lake import Lake, chunks
from publications.lake.delta import LakeTable
from publications.lake.place import Place
from publications.lake.publication import FORGOTTEN
from tests.erasure import traces
from tests.lake_by_hand import TABLES, a_lake, assert_equal, delta_table, publish_days, rows_of_the_lake, versions

EVENTS = "marts.fct_events"
# Workspaces whose folders have other names in a listing than in the log.
DAYS = [("acme", "2026-01-05", 6), ("a b/50%é", "2026-02-05", 3)]
MORE = [*DAYS, ("tui", "2026-03-01", 1)]
CONTACT, OTHER = 4, 5
NAME, NAME_OF_OTHER = ["Zoë 4"], ["Zoë 5"]


class Killed(BaseException):
    """Nothing handles it."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file" / "contact_reports.duckdb"


@pytest.fixture
def lake(tmp_path: Path, file: Path) -> Lake:
    """A lake that has published twice."""
    lake = a_lake(tmp_path / "lake")
    for days in (DAYS, MORE):
        lake.publish(publish_days(file, days))
    return lake


def place(lake: Lake) -> Path:
    return Path(lake.target)


def rows_of_the_first_version(lake: Lake) -> list[tuple[object, ...]]:
    return rows_of_the_lake(lake, EVENTS, version=0)


def test_after_a_contact_was_forgotten_no_byte_of_the_lake_has_its_name(lake: Lake, file: Path) -> None:
    for table in TABLES:
        delta_table(lake, table).create_checkpoint()
    lake.publish(publish_days(file, DAYS))
    assert traces(place(lake), NAME) != []
    lake.publish(publish_days(file, DAYS, forgotten=[CONTACT]))
    assert traces(place(lake), NAME) == []
    assert traces(place(lake), NAME_OF_OTHER) != []
    assert_equal(lake, file)
    # Again with the next one; and nothing more is written.
    lake.publish(publish_days(file, DAYS, forgotten=[CONTACT, OTHER]))
    assert traces(place(lake), [*NAME, *NAME_OF_OTHER]) == []
    assert_equal(lake, file)
    before = versions(lake)
    assert lake.publish(file).moved == 0
    assert versions(lake) == before


def test_what_a_killed_publisher_left_goes_too_by_whatever_clock_it_was_written(lake: Lake, file: Path) -> None:
    left = place(lake) / "marts" / "fct_events" / "workspace_id=acme" / "left.parquet"
    left.write_text(NAME[0])
    os.utime(left, (time.time() + 3600,) * 2)
    lake.publish(publish_days(file, DAYS, forgotten=[CONTACT]))
    assert traces(place(lake), NAME) == []


def test_without_another_forgotten_contact_former_versions_are_kept(lake: Lake, file: Path) -> None:
    first = rows_of_the_first_version(lake)
    lake.publish(publish_days(file, DAYS))
    assert rows_of_the_first_version(lake) == first
    assert not (place(lake) / FORGOTTEN).exists(), "nobody was forgotten"

    lake.publish(publish_days(file, MORE, forgotten=[CONTACT]))
    with pytest.raises(Exception, match="not found"):
        rows_of_the_first_version(lake)
    kept = delta_table(lake, EVENTS).version()
    rows = rows_of_the_lake(lake, EVENTS)
    lake.publish(publish_days(file, DAYS, forgotten=[CONTACT]))
    assert rows_of_the_lake(lake, EVENTS, version=kept) == rows != rows_of_the_lake(lake, EVENTS)


@pytest.mark.parametrize("works", range(4))
def test_a_publication_killed_after_its_commits_is_completed_by_the_next_one(
    lake: Lake, file: Path, monkeypatch: pytest.MonkeyPatch, works: int
) -> None:
    """It is killed after so many steps: three times deleting a file, and then writing that this is done."""
    steps = iter(range(100))

    def killing(name: str) -> Callable[..., None]:
        step = getattr(Place, name)

        def taken(*arguments: object) -> None:
            if next(steps) == works:
                raise Killed(name)
            step(*arguments)

        return taken

    for name in ("delete", "write"):
        monkeypatch.setattr(Place, name, killing(name))
    publish_days(file, DAYS, forgotten=[CONTACT])
    with pytest.raises(Killed, match="delete" if works < 3 else "write"):
        lake.publish(file)
    assert_equal(lake, file)
    monkeypatch.undo()
    assert lake.publish(file).moved == 0
    assert traces(place(lake), NAME) == []
    assert_equal(lake, file)


def test_the_note_has_neither_names_nor_ids_and_one_that_was_cut_or_lost_costs_a_deletion(
    lake: Lake, file: Path
) -> None:
    lake.publish(publish_days(file, DAYS, forgotten=[CONTACT]))
    note = place(lake) / FORGOTTEN
    whole = note.read_bytes()
    for damage in (lambda: note.unlink(), lambda: note.write_bytes(b"")):
        lake.publish(publish_days(file, MORE, forgotten=[CONTACT]))
        damage()
        lake.publish(publish_days(file, DAYS, forgotten=[CONTACT]))
        assert note.read_bytes() == whole
        assert_equal(lake, file)


def test_what_another_program_writes_leaves_no_name_in_the_log(lake: Lake, file: Path) -> None:
    delta_table(lake, EVENTS).delete("contact_id = 1")
    delta_table(lake, EVENTS).optimize.compact()
    delta_table(lake, EVENTS).create_checkpoint()
    delta_table(lake, "marts.dim_source").delete("not is_known")
    logs = [trace for trace in traces(place(lake), ["Zoë", "user"]) if "_delta_log" in trace]
    assert logs == []
    lake.publish(publish_days(file, DAYS, forgotten=[CONTACT]))
    assert traces(place(lake), NAME) == []
    assert_equal(lake, file)


def test_a_lake_with_the_properties_of_a_former_version_is_written_again_in_one_commit(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = a_lake(tmp_path / "lake")
    now = LakeTable._configuration.fget  # type: ignore[attr-defined]
    former = property(lambda table: {name: value for name, value in now(table).items() if "Skipping" not in name})
    monkeypatch.setattr(LakeTable, "_configuration", former)
    lake.publish(publish_days(file, DAYS))
    monkeypatch.undo()
    lake.publish(file)
    assert versions(lake) == dict.fromkeys(TABLES, 1)
    assert_equal(lake, file)
    assert lake.publish(file).moved == 0


def test_readers_open_only_the_files_of_the_workspace_and_the_days_that_they_ask_for(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "ROWS_TOGETHER", 1)
    lake = a_lake(tmp_path / "lake")
    lake.publish(publish_days(file, [*DAYS, ("acme", "2026-02-05", 3)]))
    delta_table(lake, EVENTS).create_checkpoint()
    wanted = set(place(lake).glob("marts/fct_events/workspace_id=acme/2026-01-*"))
    for path in place(lake).glob("marts/fct_events/workspace_id=*/*.parquet"):
        if path not in wanted:
            path.unlink()
    asked = "select contact_id from events where workspace_id = 'acme' and report_date = date '2026-01-05'"
    events = DeltaTable(f"{lake.target}/marts/fct_events")
    assert QueryBuilder().register("events", events).execute(asked).read_all().num_rows == 6
    with pytest.raises(Exception, match="not found"):
        QueryBuilder().register("events", events).execute(asked.replace("01-05", "02-05")).read_all()
