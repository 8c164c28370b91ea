"""Links are followed within the landing folder, never out of it."""

import time
from pathlib import Path

import pytest

from tests.integration.extraction.place import Place, event_ids, json_lines


def test_a_link_to_a_place_outside_the_landing_folder_is_refused(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "events").mkdir(parents=True)
    (outside / "events" / "secret.jsonl").write_text(json_lines("secret"))
    neighbour = tmp_path / "landing-2"
    neighbour.mkdir()
    (neighbour / "a.jsonl").write_text(json_lines("secret"))
    place.land("1/events/a.jsonl", json_lines("inside"))
    (place.landing / "2").mkdir()
    targets: dict[str, str | Path] = {
        "1/events/b.jsonl": outside / "events/secret.jsonl",
        "1/events/c.jsonl": "../../../outside/events/secret.jsonl",
        "1/events/d.jsonl": neighbour / "a.jsonl",
        "1/events/e.jsonl": "b.jsonl",
        "2/events": outside / "events",
        "3": outside,
    }
    for link, target in targets.items():
        (place.landing / link).symlink_to(target)

    result = place.extract()

    assert sorted(warning.split(" is not read")[0] for warning in result.warnings) == [
        *("1/events/b.jsonl", "1/events/c.jsonl", "1/events/d.jsonl", "1/events/e.jsonl", "2/events", "3"),
    ]
    assert event_ids(place.events()) == ["inside"]


def test_a_link_within_the_landing_folder_is_a_file_like_any_other(place: Place) -> None:
    place.land("1/.store/v1.jsonl", json_lines(1))
    (place.landing / "1/events").mkdir()
    (place.landing / "1/events/current.jsonl").symlink_to("../.store/v1.jsonl")

    place.extract()

    assert event_ids(place.events()) == ["1"]


@pytest.mark.usefixtures("remembers_at_once")
def test_a_change_behind_a_link_is_noticed(place: Place) -> None:
    place.land("1/.store/u.csv", "user_id,user_name\n1,A\n")
    (place.landing / "1/users").mkdir()
    (place.landing / "1/users/u.csv").symlink_to("../.store/u.csv")
    place.extract()

    time.sleep(0.05)
    place.land("1/.store/u.csv", "user_id,user_name\n1,B\n")
    place.extract()

    assert [row["user_name"] for row in place.read("users")] == ["A", "B"]


@pytest.mark.parametrize("target", ["nowhere.jsonl", "a.jsonl", "."])
def test_a_link_that_leads_to_no_file_is_named_and_stops_nothing_else(place: Place, target: str) -> None:
    place.land("1/events/b.jsonl", json_lines("b"))
    (place.landing / "1/events/a.jsonl").symlink_to(target)

    result = place.extract()

    assert len(result.warnings) == 1 and result.warnings[0].startswith("1/events/a.jsonl is not ")
    assert event_ids(place.events()) == ["b"]


def test_a_workspace_that_is_a_link_is_loaded_or_named(place: Place) -> None:
    place.land("1/events/a.jsonl", json_lines("a"))
    (place.landing / "linked").symlink_to("1")

    result = place.extract()

    assert len(place.events()) == 2 or [warning.split(" ")[0] for warning in result.warnings] == ["linked"]
