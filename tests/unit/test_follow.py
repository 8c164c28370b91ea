"""A publication is behind until it followed the present file to its present target, and stands there as it was."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestration.lib.problems import Problem
from orchestration.lib.progress import listening
from orchestration.lib.settings import Settings, read_settings
from publications.follow import behind, follow
from publications.interface import Published


@dataclass
class Copy:
    """A publication into a list."""

    place: str = "here"
    target: str = "here"
    name: str = "copy"
    title: str = "the copy"
    description: str = "A copy."
    kind: str = "file"
    copied: list[bytes] = field(default_factory=list)
    is_away: bool = False
    while_it_copies: Callable[[], None] = lambda: None

    def state(self) -> str:
        if self.is_away:
            raise Problem("The server is away", "Start it")
        return str(len(self.copied))

    def publish(self, file: Path) -> Published:
        self.copied.append(file.read_bytes())
        state = self.state()
        self.while_it_copies()
        return Published({"reports.copy": 1}, 1, state)

    def differences(self, file: Path) -> list[str]:
        return [] if self.copied[-1] == file.read_bytes() else ["reports.copy differs"]


def reasons(settings: Settings, copy: Copy) -> list[str | None]:
    return [one.behind for one in behind(settings, [copy])]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = read_settings().model_copy(update={"data": tmp_path})
    settings.published.parent.mkdir(parents=True)
    return settings


def test_nothing_is_behind_before_the_first_file(settings: Settings) -> None:
    assert behind(settings, [Copy()]) == []


def test_a_publication_is_behind_until_it_followed_and_again_with_the_next_file(settings: Settings) -> None:
    copy = Copy()
    for content, reason in (
        (b"first", "it was never published"),
        (b"the second", "it has an older version of the published file"),
    ):
        settings.published.write_bytes(content)
        assert reasons(settings, copy) == [reason]
        follow(settings, copy)
        assert behind(settings, [copy]) == []


def test_a_line_says_that_it_begins_and_another_one_what_it_has(settings: Settings) -> None:
    settings.published.write_bytes(b"first")
    said: list[str] = []
    copy = Copy(while_it_copies=lambda: said.append("(copying)"))
    with listening(lambda *_: None, said.append):
        follow(settings, copy)

    assert said == [
        "publishing to the copy",
        "(copying)",
        "published to the copy: 1 row, 1 written or deleted",
    ]


def test_a_publication_with_another_target_is_behind(settings: Settings) -> None:
    settings.published.write_bytes(b"first")
    follow(settings, Copy())
    assert reasons(settings, Copy(target="elsewhere")) == ["it was last published to another place"]


def test_a_publication_that_somebody_changed_or_removed_or_that_cannot_be_reached_is_behind(settings: Settings) -> None:
    settings.published.write_bytes(b"first")
    copy = Copy()
    follow(settings, copy)
    copy.copied.append(b"by somebody else")
    assert reasons(settings, copy) == ["it was changed from outside"]

    meanwhile = Copy(while_it_copies=lambda: meanwhile.copied.append(b"by somebody else"))
    follow(settings, meanwhile)
    assert reasons(settings, meanwhile) == ["it was changed from outside"]
    copy.is_away = True
    assert reasons(settings, copy) == ["The server is away. Start it"]


def test_a_publication_that_failed_or_met_a_new_file_meanwhile_is_behind(settings: Settings) -> None:
    def fail() -> None:
        raise Problem("The server is away", "Start it")

    settings.published.write_bytes(b"first")
    failing = Copy(while_it_copies=fail)
    with pytest.raises(Problem):
        follow(settings, failing)
    assert reasons(settings, failing) != []

    def replace() -> None:
        settings.published.write_bytes(b"the second")

    overtaken = Copy(while_it_copies=replace)
    follow(settings, overtaken)
    assert reasons(settings, overtaken) != []


def test_a_note_that_cannot_be_read_means_behind(settings: Settings) -> None:
    settings.published.write_bytes(b"first")
    copy = Copy()
    follow(settings, copy)
    (note,) = (settings.data / "cache" / "publications").iterdir()
    note.write_bytes(b"\x00no JSON")
    assert reasons(settings, copy) != []
