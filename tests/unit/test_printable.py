"""Text that somebody else wrote, made fit for a terminal, a log and an alert."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.lib.monitoring.alerts import Alert
from orchestration.lib.problems import Problem
from orchestration.lib.progress import announce, listening, report
from orchestration.lib.text import PrintableFile, counted, printable, printable_lines


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Contacts – März.csv", "Contacts – März.csv"),
        ("نام‌ها 👩‍💻 日本", "نام‌ها 👩‍💻 日本"),  # The joiners of Persian and of emoji are letters of a name.
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x00\x07\b\t\n\r\x7f\x85\x9b", r"\x00\x07\x08\t\n\r\x7f\x85\x9b"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("\u202etxt.exe\u2066\u2069\u200f\u061c", r"\u202etxt.exe\u2066\u2069\u200f\u061c"),
        ("caf\udce9", r"caf\udce9"),
    ],
)
def test_what_a_terminal_would_act_upon_is_an_escape_and_all_else_stays(raw: str, shown: str) -> None:
    assert printable(raw) == shown
    assert str(Alert("kind", raw)).endswith(f": {shown}")


@given(st.text(st.characters()))
def test_any_text_is_one_line_that_can_be_encoded_and_stays_when_it_is_escaped_again(text: str) -> None:
    assert len(printable(text).encode().splitlines()) <= 1
    assert printable(printable(text)) == printable(text)


def test_line_ends_of_our_own_stay() -> None:
    assert printable_lines("one\x1b\ntwo\r\n") == "one\\x1b\ntwo\\r\n"


def test_problems_and_progress_are_printable() -> None:
    heard: list[str] = []
    with listening(lambda doing, done, total: heard.append(doing), heard.append):
        report("\x1b1", 0, 1)
        announce("\x1b2\n")
    assert [*heard, str(Problem("\x1b3", "\u202e4"))] == [r"\x1b1", r"\x1b2\n", r"\x1b3. \u202e4"]


def test_a_file_gets_only_what_can_be_printed(tmp_path: Path) -> None:
    with PrintableFile((tmp_path / "log").open("ab"), encoding="utf-8") as file:
        print("one\x1b[2J\ntwo\udcff", file=file)
    assert (tmp_path / "log").read_text() == "one\\x1b[2J\ntwo\\udcff\n"


def test_a_number_comes_with_its_noun() -> None:
    assert [counted(number, "batch", "batches") for number in (0, 1, 2000)] == ["0 batches", "1 batch", "2,000 batches"]
