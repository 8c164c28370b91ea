"""Files and folders may have any name; what cannot be loaded by its name is left alone."""

import gzip
import os
from pathlib import Path

import pytest

from orchestration.lib.landing.listing import Landing
from orchestration.lib.problems import Problem
from tests.integration.extraction.place import Place, event_ids, json_lines

ODD_NAMES = (
    "with spaces",
    " leading and trailing ",
    "it's",
    'say "hi"',
    "[x]",
    "[",
    "]",
    "a*",
    "ab",
    "?",
    "{a,b}",
    "é",
    "e\u0301",
    "李小龙 🦆",
    "back\\slash",
    "line\nbreak",
    "%41%2F",
    "~",
    "$HOME",
    "a::b",
    "file:x",
    "http:x",
    "x=1",
    "#;&|",
    "-",
    "x..",
    "n" * 200,
)


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet", ".jsonl.gz"])
def test_a_file_may_have_any_name(place: Place, ending: str) -> None:
    for i, name in enumerate(ODD_NAMES):
        path = f"1/events/{name}{ending}"
        if ending == ".parquet":
            place.land_parquet(path, f"select '{i}' as event_id")
        elif ending == ".csv":
            place.land(path, f"event_id\n{i}\n")
        else:
            place.land(path, gzip.compress(json_lines(i).encode()) if ending.endswith(".gz") else json_lines(i))

    result = place.extract()

    assert result.warnings == []
    assert {row["source_file"]: row["event_id"] for row in place.events()} == {
        f"1/events/{name}{ending}": str(i) for i, name in enumerate(ODD_NAMES)
    }
    assert place.extract().files == 0


def test_a_parquet_file_may_have_a_backslash_before_a_bracket_in_its_name(place: Place) -> None:
    place.land_parquet("1/events/a\\[b].parquet", "select 'x' as event_id")

    assert place.extract().warnings == []
    assert event_ids(place.events()) == ["x"]


@pytest.mark.parametrize("name", ["it's", "[1]", "*", "a b", "é", "x=1", "batch_id=1"])
def test_folders_may_have_any_name(tmp_path: Path, name: str) -> None:
    odd = tmp_path / name
    odd.mkdir()
    place = Place(odd, raw=f"raw {name}")
    place.land(f"{name}/events/a.jsonl", json_lines(1))
    place.land_parquet(f"{name}/events/b.parquet", "select '2' as event_id")

    first, second = place.extract(), place.extract()

    assert (first.files, first.warnings, second.files) == (3, [], 0)
    assert {row["workspace_folder"] for row in place.events()} == {name}


def test_a_name_that_is_no_text_is_named_and_left_alone(place: Place) -> None:
    events = place.land("1/events/a.jsonl", json_lines(1)).parent
    Path(os.fsdecode(os.fsencode(events) + b"/\xff.jsonl")).write_bytes(b"{}")

    result = place.extract()

    assert len(result.warnings) == 1 and "1/events/\\udcff.jsonl" in result.warnings[0]
    assert event_ids(place.events()) == ["1"]


def test_a_file_that_is_not_complete_is_left_alone(place: Place) -> None:
    for name in (".a.jsonl", "a.jsonl.tmp", "a.jsonl.part", ".hidden", "a.parquet.tmp", ".tmp", "a.csv.gz.part"):
        place.land(f"1/events/{name}", json_lines(1))
    place.land(".2/events/a.jsonl", json_lines(2))
    place.land("1/.events/a.jsonl", json_lines(3))
    place.land("2.tmp/events/a.jsonl", json_lines(4))
    place.land("1/events/tmp.jsonl", json_lines(5))

    result = place.extract()

    assert (result.files, result.warnings) == (2, [])
    assert event_ids(place.events()) == ["5"]
    (place.landing / "1/events/a.jsonl.part").rename(place.landing / "1/events/a.jsonl")
    place.extract()
    assert event_ids(place.events()) == ["5", "1"]


def test_what_cannot_be_loaded_by_its_name_is_named_in_a_warning(place: Place) -> None:
    for path in (
        "1/events/a.txt",
        "1/events/a.parquet.gz",
        "1/users/u.jsonl",
        "1/evnts/a.jsonl",
        "1/a.jsonl",
        "1/events/d/a.jsonl",
    ):
        place.land(path, json_lines(1))

    warnings = place.extract().warnings

    assert sorted(warning.split(" is not read")[0] for warning in warnings) == [
        *("1/a.jsonl", "1/events/a.parquet.gz", "1/events/a.txt", "1/events/d", "1/evnts", "1/users/u.jsonl"),
    ]


def test_without_a_landing_folder_or_a_list_of_workspaces_the_cure_is_named(place: Place, tmp_path: Path) -> None:
    (place.landing / "workspaces.csv").unlink()
    with pytest.raises(Problem, match="workspace_id,workspace_name,timezone"):
        place.extract()
    with pytest.raises(Problem, match="CONTACT_REPORTS_LANDING"):
        place.extract(Landing(str(tmp_path / "nowhere")))
