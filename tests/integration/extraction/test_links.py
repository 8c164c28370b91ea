"""Links are followed within the landing folder, never out of it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from orchestration.lib.landing.kinds import WORKSPACES
from orchestration.lib.landing.listing import Landing, LandingFile, Listing
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


class Swapping(Landing):
    """A landing folder in which something happens right after it was listed, or before a file is opened again."""

    def __init__(self, url: str, happen: Callable[[], object], openings: int) -> None:
        super().__init__(url)
        self._happen, self._openings, self._opened = happen, openings, 0

    def list(self) -> Listing:
        listing = super().list()
        if not self._openings:
            self._happen()
        return listing

    def open(self, file: LandingFile) -> BinaryIO:
        if file.kind is not WORKSPACES:
            self._opened += 1
            if self._opened == self._openings:
                self._happen()
        return super().open(file)


def by_link(path: Path, outside: Path) -> None:
    path.rename(path.with_name(".gone"))
    path.symlink_to(outside)


def by_pipe(path: Path, outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def by_another_file(path: Path, outside: Path) -> None:
    os.link(outside, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").rename(path)


@pytest.mark.parametrize("openings", [0, 2], ids=["after it was listed", "after its checksum"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz", "a.parquet"])
@pytest.mark.parametrize("swap", [by_link, by_pipe, by_another_file])
def test_what_takes_the_place_of_a_listed_file_is_not_read(
    place: Place, tmp_path: Path, name: str, swap: Callable[[Path, Path], None], openings: int
) -> None:
    outside = tmp_path / "environ"
    outside.write_text(json_lines("secret"))
    if name.endswith("parquet"):
        place.land_parquet(f"1/events/{name}", "select 'x' as event_id")
        outside.write_bytes(place.land_parquet("secret.parquet", "select 'secret' as event_id").read_bytes())
    else:
        place.land(f"1/events/{name}", json_lines("x"))
    landing = Swapping(str(place.landing), lambda: swap(place.landing / "1/events" / name, outside), openings)

    result = place.extract(landing)

    assert [w.split(" is not loaded: ")[0] for w in result.warnings if "not loaded" in w] == [f"1/events/{name}"]
    assert place.events() == []


@pytest.mark.parametrize("folder", ["1", "1/events"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
@pytest.mark.parametrize("openings", [0, 2])
def test_a_link_that_takes_the_place_of_a_folder_is_not_followed(
    place: Place, tmp_path: Path, folder: str, name: str, openings: int
) -> None:
    place.land(f"1/events/{name}", json_lines("x"))
    outside = tmp_path / "outside"
    for path in (f"events/{name}", name):
        (outside / path).parent.mkdir(exist_ok=True, parents=True)
        (outside / path).write_text(json_lines("secret"))
    landing = Swapping(str(place.landing), lambda: by_link(place.landing / folder, outside), openings)

    (warning,) = place.extract(landing).warnings

    assert warning.startswith(f"1/events/{name} is not loaded: ") and "a link has taken its place" in warning
    assert place.events() == []


def test_a_link_that_leads_elsewhere_after_it_was_listed_still_brings_the_file_that_was_listed(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "secret.jsonl").write_text(json_lines("secret"))
    place.land("1/.store/v1.jsonl", json_lines(1))
    place.land_parquet("1/.store/v1.parquet", "select '2' as event_id")
    (place.landing / "1/events").mkdir()
    links = [place.landing / f"1/events/current.{ending}" for ending in ("jsonl", "parquet")]

    def point(target: str) -> None:
        for link in links:
            link.unlink(missing_ok=True)
            link.symlink_to(target.format(link.suffix))

    point("../.store/v1{}")
    place.extract(Swapping(str(place.landing), lambda: point(str(tmp_path / "secret.jsonl")), 0))

    assert event_ids(place.events()) == ["1", "2"]


def test_a_landing_folder_may_itself_be_a_link(place: Place, tmp_path: Path) -> None:
    place.land("1/events/a.jsonl", json_lines(1))
    place.land_parquet("1/events/b.parquet", "select '2' as event_id")
    (tmp_path / "link").symlink_to(place.landing)

    assert place.extract(Landing(str(tmp_path / "link"))).warnings == []

    assert event_ids(place.events()) == ["1", "2"]
