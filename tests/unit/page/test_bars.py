"""Bar charts: what is drawn where."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page.charts.axes import PLOT_BOTTOM, PLOT_TOP, ticks
from tests.unit.page.small_charts import bars, percent, tables


def pixels_per_unit(values: Sequence[Sequence[int]]) -> float:
    """Of stacked values that are not negative."""
    highest = max(map(sum, zip(*values, strict=True)))
    return (PLOT_BOTTOM - PLOT_TOP) / ticks(0, highest)[-1]


@settings(max_examples=80, deadline=None)
@given(tables(least=-1), st.booleans())
def test_bars_are_inside_the_plot(values: list[list[int]], stacked: bool) -> None:
    for column in bars(values, stacked=stacked).columns:
        assert percent(column.x) >= 0
        assert percent(column.x) + percent(column.width) <= 100.06
        for x, width, y, height, *_ in column.marks:
            assert 0 <= percent(x) < percent(x) + percent(width) <= 100.02
            assert y >= PLOT_TOP
            assert y + height <= PLOT_BOTTOM + 1  # the grid line at the bottom is one pixel high


@settings(max_examples=80, deadline=None)
@given(tables(least=-1), st.booleans())
def test_every_value_but_zero_has_a_bar_that_can_be_seen(values: list[list[int]], stacked: bool) -> None:
    marks = [mark for column in bars(values, stacked=stacked).columns for mark in column.marks]
    assert len(marks) == sum(1 for one in values for value in one if value)
    assert all(mark.height >= 1 for mark in marks)


@settings(max_examples=80, deadline=None)
@given(tables())
def test_a_stack_is_as_high_as_its_sum(values: list[list[int]]) -> None:
    unit = pixels_per_unit(values)
    columns = iter(bars(values).columns)
    for by_series in zip(*values, strict=True):
        if not any(by_series):
            continue
        top = min(mark.y for mark in next(columns).marks)
        least = sum(1 for value in by_series if value)
        assert PLOT_BOTTOM - top == max(round(sum(by_series) * unit), least)


@settings(max_examples=80, deadline=None)
@given(tables(least=-1))
def test_the_bars_of_a_stack_do_not_overlap(values: list[list[int]]) -> None:
    for column in bars(values).columns:
        rows = [row for mark in column.marks for row in range(mark.y, mark.y + mark.height)]
        assert len(rows) == len(set(rows))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_heights_are_proportional_to_values(values: list[int]) -> None:
    unit = pixels_per_unit([values])
    heights = [mark.height for column in bars([values]).columns for mark in column.marks]
    for value, height in zip(filter(None, values), heights, strict=True):
        assert abs(height - max(1, value * unit)) <= 0.5


def test_between_the_bars_of_a_stack_is_one_pixel() -> None:
    low, high = bars([[50], [50]]).columns[0].marks
    assert low.y - (high.y + high.height) == 1


def test_negative_bars_hang_below_the_zero_line() -> None:
    chart = bars([[30, 0], [-20, -5]])
    zero = next(y for y, _, is_zero in chart.axes.grid if is_zero)
    up, down = chart.columns[0].marks
    assert up.y + up.height == zero
    assert down.y == zero + 1
    assert chart.columns[1].marks[0].y == zero + 1


def test_bars_side_by_side_do_not_overlap() -> None:
    marks = bars([[3], [2], [1]], stacked=False).columns[0].marks
    for left, right in pairwise(marks):
        assert percent(left.x) + percent(left.width) < percent(right.x)


def test_the_bar_of_a_single_period_is_not_a_slab() -> None:
    assert percent(bars([[5]]).columns[0].width) <= 8


def test_bars_of_a_year_leave_no_slits() -> None:
    columns = bars([[5] * 366]).columns
    for left, right in pairwise(columns):
        assert percent(left.x) + percent(left.width) >= percent(right.x)


def test_an_unfinished_period_is_hatched_and_no_other() -> None:
    chart = bars([[40] * 7, [30] * 7], unfinished=True)
    assert [len(column.hatched) for column in chart.columns] == [0] * 6 + [2]
    assert chart.has_hatch
    assert not bars([[40] * 7]).has_hatch


def test_provisional_periods_have_a_dot_below_their_bar() -> None:
    chart = bars([[40] * 7], provisional=2)
    middles = [percent(column.x) + percent(column.width) / 2 for column in chart.columns[-2:]]
    assert [percent(x) for x in chart.axes.dots] == pytest.approx(middles, abs=0.02)


def test_a_bar_says_what_it_is() -> None:
    assert bars([[1234]]).columns[0].marks[0].title == "Source 0 · Day 0: 1,234"


def test_a_period_without_a_bar_says_zero() -> None:
    assert bars([[0, 5]]).axes.slots[0].title == "Day 0: 0"


@pytest.mark.parametrize("values", [[], [[]], [[0]], [[0] * 30, [0] * 30]])
def test_without_values_there_is_an_empty_plot(values: list[list[int]]) -> None:
    chart = bars(values)
    assert chart.is_empty
    assert [label for _, label, _ in chart.axes.grid] == ["0", "1", "2"]
