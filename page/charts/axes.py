"""The axes of a bar chart: scale, grid lines, period labels and text widths.

Only the labels of periods depend on the width of the chart: they are chosen here for four widths, and the style sheet
shows those of the present width.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

FONT_SIZE = 12
HEIGHT = 236
PLOT_TOP, PLOT_BOTTOM = 10, 202

# The smallest chart width in pixels for each class of period labels. charts.css has the same numbers.
WIDTHS = {"tiny": 280, "narrow": 340, "medium": 480, "wide": 720}

# Every n-th period has a label. Other steps would be hard to read, such as every fifth day.
DAY_STEPS = (1, 2, 7, 14, 28, 56, 91, 182)
WEEK_STEPS = (1, 2, 4, 8, 13, 26, 52)
MONTH_STEPS = (1, 2, 3, 6, 12, 24)

# With more periods the bars have no gaps, as gaps of less than a pixel flicker; the dots are smaller.
MOST_WITH_GAPS, _MOST_WITH_LARGE_DOTS = 120, 45

_PLOT_HEIGHT = PLOT_BOTTOM - PLOT_TOP
_LABEL_GAP = 12
_MOST_BEYOND = 8  # pixels that a label may extend into the right margin of a chart
_LEAST_AXIS_WIDTH = 24


@dataclass(frozen=True)
class Period:
    """A day, week or month of a chart."""

    label: str  # short, on the axis
    title: str  # long, in the tooltip
    is_unfinished: bool = False  # hatched
    is_provisional: bool = False  # a dot at the axis


class Slot(NamedTuple):
    """The column of one period, over the full height of the plot. It has a tooltip where there is no bar."""

    x: str
    width: str
    title: str


class GridLine(NamedTuple):
    y: int
    label: str
    is_zero: bool


class PeriodLabel(NamedTuple):
    x: str
    text: str
    classes: str  # the widths at which it is shown; "start" if it begins at x rather than being centred


@dataclass(frozen=True)
class Axes:
    """A chart without its bars."""

    height: int
    plot_top: int
    plot_height: int
    axis_width: int
    period_y: int
    dot_y: int
    dot_radius: float
    grid: list[GridLine]
    slots: list[Slot]
    dots: list[str]  # x of the provisional periods
    labels: list[PeriodLabel]
    is_dense: bool  # bars and gaps are less than two pixels on a phone


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels from the top."""

    values: list[int]  # of the grid lines
    pixels_per_unit: float

    @classmethod
    def covering(cls, low: int, high: int) -> "Scale":
        """A scale with grid lines at or beyond both values."""
        values = ticks(low, high)
        return cls(values, _PLOT_HEIGHT / (values[-1] - values[0]))

    def y(self, value: int) -> float:
        """The position of a value."""
        return PLOT_BOTTOM - (value - self.values[0]) * self.pixels_per_unit

    @property
    def zero_y(self) -> int:
        """The position of the zero line."""
        return round(self.y(0))


def axes_of(
    periods: Sequence[Period],
    scale: Scale,
    number: Callable[[int], str],
    label_steps: Sequence[int],
    slots: list[Slot],
) -> Axes:
    """The axes of some periods and a scale."""
    grid = [GridLine(round(scale.y(value)), number(value), value == 0) for value in scale.values]
    axis_width = max(_LEAST_AXIS_WIDTH, math.ceil(max(text_width(line.label) for line in grid)) + 8)
    slot = 100 / max(len(periods), 1)
    return Axes(
        height=HEIGHT,
        plot_top=PLOT_TOP,
        plot_height=_PLOT_HEIGHT,
        axis_width=axis_width,
        period_y=PLOT_BOTTOM + 25,
        dot_y=PLOT_BOTTOM + 7,
        dot_radius=2 if len(periods) <= _MOST_WITH_LARGE_DOTS else 1.25,
        grid=grid,
        slots=slots,
        dots=[percent(slot * (index + 0.5)) for index, period in enumerate(periods) if period.is_provisional],
        labels=_labels([period.label for period in periods], axis_width, label_steps),
        is_dense=_MOST_WITH_LARGE_DOTS < len(periods) <= MOST_WITH_GAPS,
    )


def slots_of(periods: Sequence[Period], texts: Sequence[str], colon: str) -> list[Slot]:
    """The slots of the periods, each with its tooltip."""
    slot = 100 / max(len(periods), 1)
    width = percent(slot)
    return [
        Slot(percent(slot * index), width, f"{period.title}{colon}{text}")
        for index, (period, text) in enumerate(zip(periods, texts, strict=True))
    ]


def ticks(low: int, high: int) -> list[int]:
    """Three to five round numbers. The first is at most `low`, the last at least `high`."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            first, last = low // (step * factor), -(-high // (step * factor))
            if last - first <= 4:
                # At least two steps: a value of 1 has the scale 0, 1, 2.
                last = max(last, first + 2)
                return [n * step * factor for n in range(first, last + 1)]
        step *= 10


def text_width(text: str, font_size: float = FONT_SIZE) -> float:
    """An upper bound of the width of a text in pixels, for all common sans-serif fonts."""
    return _ems(text) * font_size


def percent(value: float) -> str:
    """A percentage in SVG."""
    return f"{value:.2f}%"


def _labels(texts: Sequence[str], axis_width: int, steps: Sequence[int]) -> list[PeriodLabel]:
    """The labels of the periods, each with the widths at which it is shown. Labels never overlap."""
    if not texts:
        return []
    slot = 100 / len(texts)
    widths = [text_width(text) for text in texts]
    needed = max(widths) + _LABEL_GAP
    # The first label is centred and may extend under the axis numbers. If it does not fit, it starts at the plot.
    narrowest = (WIDTHS["tiny"] - axis_width) / len(texts)
    is_start = widths[0] / 2 > axis_width + narrowest / 2 or (
        len(texts) == 1 and widths[0] > 2 * axis_width + narrowest
    )
    classes: dict[int, list[str]] = {}
    for name, width in WIDTHS.items():
        plot = width - axis_width
        pixels = plot / len(texts)
        # A label that starts at x, instead of being centred, extends further to the right.
        room = needed + (widths[0] - pixels) / 2 if is_start and widths[0] > pixels else needed
        fewest = room / pixels
        step = next((step for step in steps if step >= fewest), math.ceil(fewest))
        for index in range(0, len(texts), step):
            if index == 0 or (index + 0.5) * pixels + widths[index] / 2 <= plot + _MOST_BEYOND:
                classes.setdefault(index, []).append(name)
    return [
        PeriodLabel(
            "0" if is_start and index == 0 else percent(slot * (index + 0.5)),
            texts[index],
            " ".join([*names, "start"] if is_start and index == 0 else names),
        )
        for index, names in sorted(classes.items())
    ]


@lru_cache(maxsize=4096)
def _ems(text: str) -> float:
    return sum(map(_em, text))


_EMS = {
    **dict.fromkeys("ijl.,:;'|!I·\u2019\u202f\u2009", 0.36),
    **dict.fromkeys("ftr-()[]/ \u00a0", 0.43),
    **dict.fromkeys("mMwW%@\u2014", 1.02),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&+\u2212\u00d7", 0.85),
}


def _em(character: str) -> float:
    # In DejaVu Sans, the widest common font, Latin letters and digits have 0.65 em, East Asian characters 1 em.
    return _EMS.get(character) or (0.66 if character < "\u0250" else 0.8 if character < "\u1100" else 1.1)
