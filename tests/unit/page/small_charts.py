"""Small charts: what the tests of the page's charts share."""

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from page.charts import BarChart, Donut, Period, Series, Slice, bar_chart, donut


def formatted(value: int) -> str:
    return f"{value:,}"


def days(count: int, *, unfinished: bool = False, provisional: int = 0) -> list[Period]:
    return [
        Period(
            f"{n % 28 + 1} Nov",
            f"Day {n}",
            is_unfinished=unfinished and n == count - 1,
            is_provisional=n >= count - provisional,
        )
        for n in range(count)
    ]


def series_of(*values: Sequence[int]) -> list[Series]:
    return [
        Series(f"Source {n}", n % 9, one, [f"/log?day={k}" for k in range(len(one))]) for n, one in enumerate(values)
    ]


def bars(values: Sequence[Sequence[int]], *, stacked: bool = True, **period: bool | int) -> BarChart:
    periods = days(len(values[0]) if values else 0, **period)  # type: ignore[arg-type]
    return bar_chart(
        periods,
        series_of(*values),
        stacked=stacked,
        title="Contacts added",
        description="By source",
        format_number=formatted,
        id="added",
    )


def ring(values: Sequence[int], **names: str) -> Donut:
    slices = [Slice(f"Source {n}", n % 8 + 1, value, formatted(value), "/log") for n, value in enumerate(values)]
    return donut(
        slices,
        title="Sources",
        description="Shares",
        center=names.get("center", formatted(sum(values))),
        center_label=names.get("center_label", "contacts"),
        id="sources",
    )


@st.composite
def tables(draw: st.DrawFn, least: int = 0) -> list[list[int]]:
    """Values of up to 12 series and 366 periods: of very different sizes, many of them zero."""
    periods = draw(st.sampled_from([1, 2, 7, 12, 30, 31, 90, 366]))
    sizes = draw(st.lists(st.sampled_from([0, 1, 3, 40, 1000, 10**9]), min_size=1, max_size=12))
    chance = random.Random(draw(st.integers(0, 10**6)))
    return [
        [chance.choice([0, size, chance.randint(least * size, size)]) for _ in range(periods)]  # as data are
        for size in sizes
    ]


def percent(text: str) -> float:
    return float(text.removesuffix("%"))
