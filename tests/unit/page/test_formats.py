"""How numbers, dates and durations are written."""

from datetime import date, datetime

import pytest

from page.formats import Formats

ENGLISH, FRENCH = Formats("en"), Formats("fr")
NARROW_SPACE = "\u202f"


def test_numbers_are_written_as_the_language_does() -> None:
    assert ENGLISH.number(48112) == "48,112"
    assert FRENCH.number(48112) == f"48{NARROW_SPACE}112"
    assert ENGLISH.percent(12.54) == "12.5%"
    assert FRENCH.percent(12.54) == "12,5 %"


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (12, "+12"), (-1234, "−1,234")])
def test_a_change_has_a_sign(value: int, text: str) -> None:
    assert ENGLISH.signed(value) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (date(2026, 11, 24), date(2026, 11, 24), "24 Nov 2026"),
        (date(2026, 11, 24), date(2026, 11, 30), "24 – 30 Nov 2026"),
        (date(2026, 10, 24), date(2026, 11, 30), "24 Oct – 30 Nov 2026"),
        (date(2025, 12, 24), date(2026, 1, 3), "24 Dec 2025 – 3 Jan 2026"),
    ],
)
def test_a_range_of_dates_says_nothing_twice(start: date, end: date, text: str) -> None:
    assert ENGLISH.days(start, end) == text


def test_a_period_is_named_by_its_days_in_the_range() -> None:
    week = date(2026, 11, 23)
    assert ENGLISH.long_period(week, "day", week, week) == "Monday 23 November 2026"
    assert ENGLISH.long_period(week, "week", date(2026, 11, 25), date(2026, 11, 29)) == "25 – 29 Nov 2026"
    assert FRENCH.long_period(date(2026, 11, 1), "month", date(2026, 11, 1), date(2026, 11, 30)) == "novembre 2026"
    assert FRENCH.long_period(date(2026, 11, 1), "month", date(2026, 11, 5), date(2026, 11, 30)) == "5 – 30 nov. 2026"


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.0005, "2 s"), (0.5, "30.0 min"), (1, "1.0 h"), (47.9, "47.9 h"), (48, "2.0 d"), (-60, "−2.5 d")],
)
def test_a_wait_is_written_in_a_unit_that_fits(hours: float, text: str) -> None:
    assert ENGLISH.hours(hours) == text


def test_a_wall_clock_has_no_zone() -> None:
    assert ENGLISH.instant(datetime(2026, 11, 30, 8, 5)) == "30 Nov 2026, 08:05"
    assert ENGLISH.second(datetime(2026, 11, 30, 8, 5, 9)) == "2026-11-30 08:05:09"


def test_french_has_a_no_break_space_before_a_colon() -> None:
    assert ENGLISH.colon == ": "
    assert FRENCH.colon == "\u00a0: "
