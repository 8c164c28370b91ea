"""workspaces.csv is configuration: it is loaded completely, or the run ends before anything is loaded."""

import codecs
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.lib.landing.listing import Landing, LandingFile
from orchestration.lib.problems import Problem
from tests.integration.extraction.place import WORKSPACES, Place, json_lines


def ids(place: Place) -> list[str]:
    return [row["workspace_id"] for row in place.read("workspaces") if row["parse_error"] is None]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (b"3,Caf\xe9,UTC\n", r"Line 4 of .*/workspaces.csv is not UTF-8\. .*CONTACT_REPORTS_ENCODING"),
        (b"3,Three\n", r"Line 4 of .* has 2 fields instead of 3: 3,Three\."),
        (b"\n3,Three,UTC,x\n", r"Line 5 of .* has 4 fields instead of 3"),
        (b" 1 ,Other,UTC\n", r"Line 4 of .* has the workspace '1' again, which line 2 has"),
        (b'"1",Other,UTC\n', r"Line 4 of .* has the workspace '1' again, which line 2 has"),
        (b"3,Three,Europe/Pariss\n", r"Line 4 of .* the time zone 'Europe/Pariss', .* Did you mean Europe/Paris\?"),
        (b"3,Three,\n", r"Line 4 of .* the time zone ''"),
        (b",Three,UTC\n", r"Line 4 of .* has no workspace_id"),
        (b'3,"Three,UTC\n4,Four,UTC\n', r"Line 4 of .* has a quote that is not closed"),
        (b'3,Three,UTC\n4,"Four,UTC\n', r"Line 5 of .* has a quote that is not closed"),
        (b'"3,Three,UTC', r"Line 4 of .* has a quote that is not closed"),
        (b"3,Thr\ree,UTC\n", r"Line 4 of .* stray carriage return"),
    ],
)
def test_a_line_that_cannot_be_used_ends_the_run_with_one_line_before_anything_is_loaded(
    place: Place, more: bytes, says: str
) -> None:
    place.extract()
    place.land("1/events/a.jsonl", json_lines(1))
    place.land("workspaces.csv", WORKSPACES.encode() + more)

    for _ in range(2):
        with pytest.raises(Problem, match=says) as problem:
            place.extract()
        assert "\n" not in str(problem.value)

    assert (place.events(), ids(place)) == ([], ["1", "2"])
    place.land("workspaces.csv", WORKSPACES)
    assert place.extract().files == 1


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("workspace_id,workspace_name", "has no column timezone"),
        ("", "has no column workspace_id, workspace_name, timezone"),
        ("workspace_id,timezone,workspace_name,TimeZone", "has the column timezone twice"),
        (
            "workspace_id,workspace_name,timezone," + ",".join(map(str, range(3000))),
            "cannot be read: it has 3,003 columns",
        ),
    ],
)
def test_a_header_that_cannot_be_used_ends_the_run(place: Place, header: str, says: str) -> None:
    place.land("workspaces.csv", f"{header}\n")

    with pytest.raises(Problem, match=rf"/workspaces.csv {says}"):
        place.extract()


SPELLED: dict[str, bytes] = {
    "utf-16": codecs.BOM_UTF16_LE + WORKSPACES.encode("utf-16-le"),
    "sep": b"sep=;\r\n" + WORKSPACES.replace(",", ";").encode(),
    "tabs": WORKSPACES.replace(",", "\t").encode(),
    "semicolons": WORKSPACES.replace(",", ";")
    .replace("workspace_name", "name, as shown;workspace_name")
    .encode()
    .replace(b"One", b"x;One")
    .replace(b"Two", b"x;Two"),
    "quotes": b'"workspace_id","workspace_name","timezone"\n"1","two\nlines","UTC"\n"2",Two,UTC\n,,\n',
    "joined": codecs.BOM_UTF8 * 2 + WORKSPACES.encode().replace(b"2,", codecs.BOM_UTF8 + b"2,"),
}


@pytest.mark.parametrize("content", SPELLED.values(), ids=SPELLED)
def test_the_list_may_be_spelled_like_any_other_file(place: Place, content: bytes) -> None:
    place.land("workspaces.csv", content)

    place.extract()

    assert [workspace for workspace in ids(place) if workspace] == ["1", "2"]


def test_the_list_is_read_in_the_encoding_that_is_set(place: Place) -> None:
    place.land("workspaces.csv", WORKSPACES.encode() + b"3,Caf\xe9,UTC\n")

    place.extract(encoding="cp1252")

    assert [row["workspace_name"] for row in place.read("workspaces")] == ["One", "Two", "Café"]
    place.land("workspaces.csv", WORKSPACES.encode() + b"3,\x81,UTC\n")
    with pytest.raises(Problem, match="Line 4 of .* is not UTF-8 and not cp1252"):
        place.extract(encoding="cp1252")


def make_fifo(file: Path) -> None:
    os.mkfifo(file)


def link_outside(file: Path) -> None:
    outside = file.parents[1] / "elsewhere.csv"
    outside.write_text(WORKSPACES)
    file.symlink_to(outside)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (make_fifo, "is not read: it is not a file"),
        (link_outside, "is not read: it links to a place outside the landing folder"),
        (lambda file: file.symlink_to("nowhere"), "is not read: it links to nothing"),
        (lambda file: file.symlink_to("/dev/zero"), "is not read: it links to a place outside"),
        (lambda file: file.mkdir(), "There is no"),
        (lambda file: None, "There is no"),
    ],
)
def test_what_is_no_file_in_the_place_of_the_list_ends_the_run(
    place: Place, make: Callable[[Path], None], says: str
) -> None:
    file = place.landing / "workspaces.csv"
    file.unlink()
    make(file)

    with pytest.raises(Problem, match=says):
        place.extract()


def test_a_link_to_the_list_within_the_landing_folder_is_followed(place: Place) -> None:
    file = place.landing / "workspaces.csv"
    file.rename(place.landing / ".workspaces-v1")
    file.symlink_to(".workspaces-v1")

    place.extract()

    assert ids(place) == ["1", "2"]


class Swapping(Landing):
    """A landing folder in which something happens to workspaces.csv right after it was read for the nth time."""

    def __init__(self, url: str, nth: int, happen: Callable[[], object]) -> None:
        super().__init__(url)
        self._left, self._happen = nth, happen

    def open(self, file: LandingFile):  # type: ignore[no-untyped-def]
        stream = super().open(file)
        if file.kind.name == "workspaces":
            self._left -= 1
            if self._left == 0:
                self._happen()
        return stream


def test_a_list_that_changes_after_it_was_checked_is_not_loaded_unchecked(place: Place) -> None:
    place.extract()
    file = place.land("workspaces.csv", WORKSPACES + "3,Three,UTC\n")

    def change() -> None:
        file.with_suffix(".tmp").write_text(WORKSPACES + "3,Three,Nowhere\n")
        file.with_suffix(".tmp").rename(file)

    (warning,) = place.extract(Swapping(str(place.landing), 1, change)).warnings

    assert re.match("workspaces.csv is not loaded: ", warning)
    assert ids(place) == ["1", "2"]
    with pytest.raises(Problem, match="Nowhere"):
        place.extract()
