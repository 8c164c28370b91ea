"""The axes of charts: their numbers, and the labels of periods."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page.charts import DAY_STEPS, Period, bar_chart
from page.charts.axes import WIDTHS, PeriodLabel, text_width, ticks
from tests.unit.page.small_charts import bars, formatted, percent, series_of


@given(st.integers(-(10**9), 0), st.integers(0, 10**9))
def test_an_axis_has_three_to_five_round_numbers(low: int, high: int) -> None:
    numbers = ticks(low, high)
    step = numbers[1] - numbers[0]
    assert 3 <= len(numbers) <= 5
    assert numbers == list(range(numbers[0], numbers[-1] + 1, step))
    assert str(step).rstrip("0") in ("1", "2", "5")
    assert numbers[0] <= low
    assert numbers[-1] >= high
    assert 0 in numbers
    # Nothing is left empty that need not be.
    assert len(numbers) == 3 or (numbers[-2] < high and numbers[1] > low)


@pytest.mark.parametrize(
    ("high", "expected"), [(0, [0, 1, 2]), (1, [0, 1, 2]), (4, [0, 1, 2, 3, 4]), (41, [0, 20, 40, 60])]
)
def test_numbers_of_an_axis(high: int, expected: list[int]) -> None:
    assert ticks(0, high) == expected


def test_the_numbers_of_an_axis_have_room() -> None:
    axes = bars([[10**9]]).axes
    assert axes.axis_width >= max(text_width(label) for _, label, _ in axes.grid) + 8


def spans(labels: Sequence[PeriodLabel], axis_width: int, width: float) -> list[tuple[float, float]]:
    """From where to where the labels reach that are shown in a chart of some width."""
    name = [name for name, least in WIDTHS.items() if width >= least][-1]
    found = []
    for x, text, classes in labels:
        if name in classes.split():
            at = percent(x) / 100 * (width - axis_width)
            half = text_width(text) / 2
            found.append((at, at + 2 * half) if "start" in classes else (at - half, at + half))
    return found


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(1, 366),
    text=st.sampled_from(["1", "24 Nov", "Nov 2026", "30 septembre", "Week of 24 November 2026", "MMMMMM"]),
    width=st.integers(min(WIDTHS.values()), 1600),
    highest=st.sampled_from([1, 1000, 10**9]),
)
def test_labels_never_touch(count: int, text: str, width: int, highest: int) -> None:
    periods = [Period(text, text)] * count
    chart = bar_chart(
        periods,
        series_of([highest] * count),
        stacked=True,
        title="",
        description="",
        format_number=formatted,
        id="a",
        label_steps=DAY_STEPS,
    )
    shown = spans(chart.axes.labels, chart.axes.axis_width, width)
    assert shown, "the first one is always shown"
    for (_, end), (start, _) in pairwise(shown):
        assert start - end >= 11.5
    assert shown[0][0] >= -chart.axes.axis_width - 1
    if len(shown) > 1:
        assert shown[-1][1] <= width - chart.axes.axis_width + 8


def test_days_are_labelled_by_weeks() -> None:
    labels = bars([[1] * 30]).axes.labels
    assert [text for _, text, classes in labels if "wide" in classes] == ["1 Nov", "8 Nov", "15 Nov", "22 Nov", "1 Nov"]
