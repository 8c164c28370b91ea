"""How the SQL of a search brings text to plain letters, and sources to one spelling, against Python's Unicode data."""

import json
import unicodedata
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report_reckoning import plain
from tests.sqlfluff.adapter import macros

MARKS = [chr(code) for code in range(0x300, 0x370)]
LETTERS = [
    chr(code)
    for code in range(1, 0x110000)
    if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")  # assigned, and no half of a pair
]


def expression(macro: str) -> str:
    """The SQL of a macro of the project for the column `value`."""
    return str(getattr(macros(), macro)("value")).strip()


def in_sql(macro: str, texts: list[str]) -> list[Any]:
    """What the macro makes of texts."""
    with duckdb.connect() as connection:
        # As JSON: to bind a list of so many takes a minute.
        values = "select unnest(?::json::varchar[]) as value"
        rows = connection.execute(f"select {expression(macro)} from ({values})", [json.dumps(texts)])
        return [value for (value,) in rows.fetchall()]


def test_every_letter_of_unicode_is_compared_as_python_compares_it() -> None:
    found = dict(zip(LETTERS, in_sql("plain_letters", LETTERS), strict=True))
    expected = {letter: plain(letter) for letter in LETTERS}
    # Which of a letter's cases stands for both does not matter (Python takes the capitals of Cherokee).
    stands_for = {letter: found[letter] for text in expected.values() for letter in text}
    assert len(set(stands_for.values())) == len(stands_for)
    wrong = {
        f"U+{ord(letter):04X} {letter}": (found[letter], text)
        for letter, text in expected.items()
        if found[letter] != "".join(stands_for[plain_letter] for plain_letter in text)
    }
    assert wrong == {}


def test_a_text_has_plain_letters_unless_it_is_empty_or_of_accents_alone() -> None:
    texts = [*LETTERS, "", *(one + other for one in MARKS for other in ("", "\u0301", "a", "\n", "\u0345"))]
    expected = [plain(text) != "" for text in texts]
    assert in_sql("has_plain_letters", texts) == expected
    assert expected.count(False) > 200


# Letters that do something, of all scripts that have such, and marks that go and that stay.
TELLING = [
    *(letter for letter in LETTERS if plain(letter) != letter and not "\uac00" <= letter <= "\ud7a3"),
    *"각가힣한글ᄀ ᅡᆨกรุงเทพहिन्दीक़",
    *"aeiouslkß'´ -\n",
]
STAYING_MARKS = ["\u0e38", "\u093f", "\u0bd7", "\u3099", "\ufe0f", "\u20dd", "\u05b7"]
followed_by = st.tuples(
    st.sampled_from(TELLING), st.lists(st.sampled_from(MARKS), max_size=3), st.sampled_from(["", *STAYING_MARKS])
)
texts = st.lists(followed_by).map(
    lambda parts: "".join(letter + "".join(marks) + mark for letter, marks, mark in parts)
)


# A query takes 25 ms, however many texts it has.
@settings(deadline=None, max_examples=30)
@given(several=st.lists(texts, min_size=10, max_size=10))
def test_text_is_compared_letter_by_letter_however_it_is_encoded(several: list[str]) -> None:
    several = [unicodedata.normalize("NFC", text) for text in several]
    found = in_sql("plain_letters", several)
    assert found == in_sql("plain_letters", [unicodedata.normalize("NFD", text) for text in several])
    # Of Cherokee Python takes the capitals. Marks that stay are in one order in both encodings, but not always NFD's.
    expected = [plain(text).lower() for text in several]
    assert [unicodedata.normalize("NFD", text) for text in found] == [
        unicodedata.normalize("NFD", text) for text in expected
    ]


@pytest.mark.parametrize(
    ("searched", "name"),
    [
        ("STRASSE", "Lange Straße 1"),
        ("straße", "LANGE STRASSE"),
        ("STRAẞE", "strasse"),
        ("ras", "Straße"),
        ("ΣΙΣΥΦΟΣ", "Σίσυφος"),
        ("σίσυφοσ", "ΣΊΣΥΦΟΣ"),
        ("lukasz", "Łukasz"),
        ("SOREN", "søren"),
        ("dorde", "Đorđe"),
        ("AERO", "Ærø"),
        ("OEUVRE", "œuvre"),
        ("istanbul", "İSTANBUL"),
        ("diyarbakir", "DİYARBAKIR"),
        ("diyarbakir", "Diyarbakır"),
        ("fischer", "ﬁscher"),
        ("zoe", "Zoe\u0308"),
        ("é", "E\u0301va"),
        ("nguyen van", "Nguyễn Văn"),
        ("иванов", "ИВАНОВ"),
        ("в", "ᲀ"),
        ("Ꭰ", "ꭰ"),
        ("グ", "ク\u3099"),
        ("가", "각"),
        ("أحمد", "محمد ا\u0654حمد"),
    ],
)
def test_a_name_is_found(searched: str, name: str) -> None:
    found, in_name = in_sql("plain_letters", [searched, name])
    assert found in in_name
    assert plain(searched) in plain(name)


@pytest.mark.parametrize(
    ("searched", "name"),
    [
        ("กรง", "กรุงเทพ"),
        ("हद", "हिन्दी"),
        ("ガラス", "カラス"),
        ("ぱ", "は"),
        ("أحمد", "احمد"),
    ],
)
def test_a_name_with_other_vowel_signs_or_dakuten_is_not_found(searched: str, name: str) -> None:
    found, in_name = in_sql("plain_letters", [searched, name])
    assert found not in in_name
    assert plain(searched) not in plain(name)


@pytest.mark.parametrize(
    "spelling",
    [
        "Message d'écho",
        "message d’Echo",
        "MESSAGE D'ÉCHO",
        "Message  d`e\u0301cho",
        "message_d´écho",
        "MESSAGE-D\u02bcECHO",
    ],
)
def test_a_source_is_matched_without_case_accents_and_kinds_of_apostrophe(spelling: str) -> None:
    assert in_sql("source_spelling", [spelling]) == ["message d'echo"]


def test_a_source_without_its_apostrophe_is_another_text() -> None:
    assert in_sql("source_spelling", ["message decho"]) == ["message decho"]


def test_spark_removes_accents_as_duckdb_does() -> None:
    replaced = {
        accented: entry.split("=")[0]
        for entry in str(macros().letters_with_accents()).split()  # type: ignore[attr-defined]
        for accented in entry.split("=")[1]
    }
    letters = [letter for letter in LETTERS if letter < "\u2000" and not unicodedata.category(letter).startswith("M")]
    on_spark = [replaced.get(letter, letter) for letter in letters]
    assert on_spark == in_sql("without_accents", letters)
