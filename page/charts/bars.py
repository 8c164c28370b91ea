"""Bar charts: stacked bars, or bars side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from page.charts.axes import DAY_STEPS, MOST_WITH_GAPS, Axes, Period, Scale, axes_of, percent, slots_of

# In percent of the plot. If there is only one period, its bar does not fill the plot.
_WIDEST_BAR, _WIDEST_GROUP = 7.0, 24.0


@dataclass(frozen=True)
class Series:
    """A series: one colour, and one entry of the legend."""

    label: str
    color: int  # 1 to 8 of the palette; 0 is grey, for the remaining sources or channels
    values: Sequence[int]  # one for each period
    hrefs: Sequence[str | None]  # the links of the bars
    href: str | None = None  # the link of the entry in the legend
    total: str | None = None  # next to the entry in the legend, formatted


# Marks and columns are tuples, which a template unpacks. A chart has hundreds of marks. Reading attributes would take
# half of the rendering time.


class Mark(NamedTuple):
    """A bar, or one part of a stacked bar."""

    x: str
    width: str
    y: int
    height: int
    color: int
    href: str | None
    title: str


class Column(NamedTuple):
    """The marks of one period. Their positions are percentages of the column."""

    x: str
    width: str
    marks: list[Mark]
    hatched: list[tuple[str, str, int, int]]  # x, width, y, height


@dataclass(frozen=True)
class BarChart:
    """Bars and axes, as `templates/charts.html` draws them."""

    id: str
    title: str
    description: str
    axes: Axes
    has_links: bool
    is_empty: bool  # every value is zero
    series: Sequence[Series]
    columns: list[Column]
    is_stacked: bool

    @property
    def has_hatch(self) -> bool:
        """Whether an unfinished period has bars."""
        return any(column.hatched for column in self.columns)


def bar_chart(
    periods: Sequence[Period],
    series: Sequence[Series],
    *,
    stacked: bool,
    title: str,
    description: str,
    format_number: Callable[[int], str],
    id: str,
    label_steps: Sequence[int] = DAY_STEPS,
    colon: str = ": ",
) -> BarChart:
    """Bars of one or more series, stacked or side by side. Negative values are below the zero line."""
    by_period = list(zip(*(one.values for one in series), strict=True)) or [()] * len(periods)
    # Stacked values have a sum. Values side by side are different metrics.
    texts = [
        format_number(sum(values))
        if stacked or len(series) == 1
        else ", ".join(f"{one.label} {format_number(value)}" for one, value in zip(series, values, strict=True))
        for values in by_period
    ]
    if stacked:
        highs = [sum(value for value in values if value > 0) for values in by_period]
        lows = [sum(value for value in values if value < 0) for values in by_period]
    else:
        highs, lows = ([limit(values, default=0) for values in by_period] for limit in (max, min))
    scale = Scale.covering(min([0, *lows]), max([0, *highs]))

    slot = 100 / max(len(periods), 1)
    bars_of_group = 1 if stacked else max(len(series), 1)
    share, widest = (
        (0.76, _WIDEST_BAR) if bars_of_group == 1 else (0.84, min(_WIDEST_GROUP, _WIDEST_BAR * bars_of_group))
    )
    # Bars without gaps overlap slightly. Otherwise rounding would leave gaps.
    is_touching = len(periods) > MOST_WITH_GAPS
    width = slot + 0.05 if is_touching else min(slot * share, widest)
    # A group's bars have a gap of an eighth of a bar between them.
    bar_width = 100 / (bars_of_group + (bars_of_group - 1) / 8)
    positions = (
        [("0", "100%")]
        if bars_of_group == 1
        else [(percent(k * bar_width * 9 / 8), percent(bar_width)) for k in range(bars_of_group)]
    )
    column_width, margin = percent(width), max(0.0, (slot - width) / 2)

    columns = []
    for index, period in enumerate(periods):
        if stacked:
            bars = _stacked(series, index, scale, with_gaps=not is_touching)
        else:
            bars = _side_by_side(series, index, scale, positions)
        if not bars:
            continue
        ending = f" · {period.title}{colon}"
        columns.append(
            Column(
                percent(slot * index + margin),
                column_width,
                [
                    Mark(x, bar, y, height, one.color, one.hrefs[index], one.label + ending + format_number(value))
                    for one, value, x, bar, y, height in bars
                ],
                # Stripes would hide a bar of less than four pixels.
                [(x, bar, y, height) for _, _, x, bar, y, height in bars if height > 3] if period.is_unfinished else [],
            )
        )
    return BarChart(
        id=id,
        title=title,
        description=description,
        axes=axes_of(periods, scale, format_number, label_steps, slots_of(periods, texts, colon)),
        has_links=any(href for one in series for href in one.hrefs),
        is_empty=not columns,
        series=series,
        columns=columns,
        is_stacked=stacked,
    )


# A series, its value, and the x, width, y and height of its bar.
_Bar = tuple[Series, int, str, str, int, int]


def _stacked(series: Sequence[Series], index: int, scale: Scale, *, with_gaps: bool) -> list[_Bar]:
    bars: list[_Bar] = []
    zero = scale.zero_y
    for sign in (1, -1):
        signed = [(one, one.values[index]) for one in series if one.values[index] * sign > 0]
        spans = _stack([abs(value) for _, value in signed], scale.pixels_per_unit)
        for (one, value), (start, end) in zip(signed, spans, strict=True):
            # A gap of one pixel between two marks, taken from the one nearer to zero if that has more than two pixels.
            gap = 1 if with_gaps and end != spans[-1][1] and end - start > 2 else 0
            # A negative bar starts below the zero line, so that the line stays visible.
            y = zero - end + gap if sign > 0 else zero + 1 + start
            bars.append((one, value, "0", "100%", y, end - start - gap))
    return bars


def _side_by_side(
    series: Sequence[Series], index: int, scale: Scale, positions: Sequence[tuple[str, str]]
) -> list[_Bar]:
    bars: list[_Bar] = []
    for one, (x, width) in zip(series, positions, strict=False):
        if value := one.values[index]:
            height = max(1, round(abs(value) * scale.pixels_per_unit))
            bars.append((one, value, x, width, scale.zero_y - height if value > 0 else scale.zero_y + 1, height))
    return bars


def _stack(values: Sequence[int], pixels_per_unit: float) -> list[tuple[int, int]]:
    """The start and end of each positive value in a stack, in whole pixels.

    The height of the stack is that of the sum. Each value has at least one pixel. The pixels that the smallest
    values need in addition are taken from the values below them.
    """
    ends, end, total = [], 0, 0
    for value in values:
        total += value
        end = max(round(total * pixels_per_unit), end + 1)
        ends.append(end)
    limit = max(round(total * pixels_per_unit), len(values))
    for index in range(len(ends) - 1, -1, -1):
        if ends[index] <= limit:
            break
        ends[index] = limit
        limit -= 1
    return list(zip([0, *ends], ends, strict=False))
