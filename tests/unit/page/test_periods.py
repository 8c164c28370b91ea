"""The periods of a range, compared with DuckDB's calendar."""

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from page.periods import default_frequency, period_end, period_starts

FREQUENCIES = ("day", "week", "month", "total")
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 1))


@pytest.mark.parametrize("frequency", ["day", "week", "month"])
@given(start=DAYS, days=st.integers(0, 800))
def test_every_day_of_a_range_is_in_the_period_that_duckdb_puts_it_in(frequency: str, start: date, days: int) -> None:
    end = start + timedelta(days=days)
    rows = duckdb.execute(
        f"select distinct cast(date_trunc('{frequency}', cast(day as date)) as date) "
        "from generate_series(cast(? as date), cast(? as date), interval 1 day) as days (day) order by 1",
        [start, end],
    ).fetchall()
    assert [first for (first,) in rows] == period_starts(start, end, frequency)


@pytest.mark.parametrize("frequency", FREQUENCIES)
@given(start=DAYS, days=st.integers(0, 800))
def test_periods_follow_each_other_and_end_with_the_range_or_after_it(frequency: str, start: date, days: int) -> None:
    end = start + timedelta(days=days)
    starts = period_starts(start, end, frequency)
    ends = [period_end(first, frequency, end) for first in starts]
    assert [last + timedelta(days=1) for last in ends[:-1]] == starts[1:]
    assert starts[0] <= start and ends[-1] >= end


@pytest.mark.parametrize(
    ("days", "frequency"), [(1, "day"), (30, "day"), (45, "day"), (46, "week"), (366, "week"), (500, "month")]
)
def test_a_long_range_is_grouped(days: int, frequency: str) -> None:
    start = date(2026, 1, 1)
    assert default_frequency(start, start + timedelta(days=days - 1)) == frequency
