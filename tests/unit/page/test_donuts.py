"""Donuts: what is drawn where."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from page.charts import Slice, donut
from page.charts.axes import text_width
from tests.unit.page.small_charts import ring


@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**9)), max_size=40))
def test_slices_fill_the_ring_and_can_all_be_seen(values: list[int]) -> None:
    chart = ring(values)
    shown = [value for value in values if value]
    assert len(chart.arcs) == len(shown)
    angles = [(arc.start, arc.end) for arc in chart.arcs]
    assert sum(end - start for start, end in angles) == pytest.approx(360 if shown else 0)
    assert all(end - start >= 1.8 for start, end in angles)
    for (_, end), (start, _) in pairwise(angles):
        assert start == pytest.approx(end)
    assert not re.search("nan|inf", "".join(arc.path for arc in chart.arcs))


def test_slices_are_as_large_as_their_values_and_the_largest_comes_first() -> None:
    starts = [arc.start for arc in ring([25, 50, 15, 10]).arcs]
    assert starts == pytest.approx([0, 180, 270, 324])


def test_what_is_left_over_comes_last() -> None:
    slices = [Slice("Others", 0, 90, "90"), Slice("User", 1, 10, "10")]
    chart = donut(slices, title="", description="", center="100", center_label="contacts", id="a")
    assert [one.label for one in chart.slices] == ["User", "Others"]


def test_one_slice_is_a_ring_and_none_is_an_empty_one() -> None:
    full, empty = ring([7, 0]), ring([0])
    assert full.arcs[0].path == empty.ring
    assert full.ring is None
    assert empty.arcs == []


@pytest.mark.parametrize("number", ["0", "12,345", "1,000,000,000", "9,999,999,999"])
def test_the_text_in_the_middle_fits(number: str) -> None:
    for text, _, size, _ in ring([1], center=number, center_label="contacts connected").text:
        assert size >= 10
        assert text_width(text, size) <= 136
