"""The geometry of the report page's charts. `templates/charts.html` writes it as SVG, `static/charts.css` colours it.

Horizontal positions are percentages of the plot, vertical ones are pixels. So one drawing fits every width, text is
never scaled, and the edges of bars and lines lie on whole pixels. Only the labels of periods depend on the width: they
are chosen here for four widths, and the style sheet shows those of the present width.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

FONT_SIZE = 12
HEIGHT = 236
PLOT_TOP, PLOT_BOTTOM = 10, 202
SPARKLINE_WIDTH, SPARKLINE_HEIGHT = 120, 32
DONUT_SIZE = 200

# The least width of a chart in pixels for each class of period labels. charts.css has the same numbers.
WIDTHS = {"tiny": 280, "narrow": 340, "medium": 480, "wide": 720}

# Every n-th period has a label: the steps that mean something to a reader.
DAY_STEPS = (1, 2, 7, 14, 28, 56, 91, 182)
WEEK_STEPS = (1, 2, 4, 8, 13, 26, 52)
MONTH_STEPS = (1, 2, 3, 6, 12, 24)

_PLOT_HEIGHT = PLOT_BOTTOM - PLOT_TOP
_LABEL_GAP = 12
_MOST_BEYOND = 8  # that a label may reach into the margin on the right of a chart
_LEAST_AXIS_WIDTH = 24
# Of the plot. A bar stays a bar when there is one period only.
_WIDEST_BAR, _WIDEST_GROUP = 7.0, 24.0
# With more periods than these the bars touch: gaps of less than a pixel would flicker. And the dots get smaller.
_MOST_WITH_GAPS, _MOST_WITH_LARGE_DOTS, _MOST_WITH_POINTS = 120, 45, 16

_OUTER_RADIUS, _INNER_RADIUS = 100.0, 68.0
# In degrees. A gap is 1.3 pixels wide at the outer edge, the smallest slice 2.5 pixels.
_GAP, _SMALLEST_SLICE = 0.75, 1.5


@dataclass(frozen=True)
class Series:
    """One colour, and one entry of the key."""

    label: str
    color: int  # 1 to 8 of the palette, 0 is grey, for what is left over
    values: Sequence[int]  # one for each period
    hrefs: Sequence[str | None]  # where a bar leads
    href: str | None = None  # where the entry of the key leads
    total: str | None = None  # beside the entry of the key, formatted
    share: str | None = None  # beside the total, formatted


@dataclass(frozen=True)
class Period:
    label: str  # short, for the axis
    title: str  # long, for the text on hover
    is_unfinished: bool = False  # hatched
    is_provisional: bool = False  # a dot at the axis


@dataclass(frozen=True)
class Slice:
    label: str
    color: int
    value: int
    text: str  # the value, formatted
    href: str | None = None
    share: str | None = None  # of the total, formatted: a column of its own in the key

    @property
    def total(self) -> str:
        return self.text


# Tuples, as a template unpacks them: a chart has hundreds of marks, and reading attributes would take half of the time.


class Mark(NamedTuple):
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


class Slot(NamedTuple):
    """The full height of the plot at one period. It has a text on hover where no bar is."""

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


class Point(NamedTuple):
    x: str
    y: float
    slot_x: str
    slot_width: str
    href: str | None
    title: str


@dataclass(frozen=True)
class Axes:
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
class _Chart:
    id: str
    title: str
    description: str
    axes: Axes
    has_links: bool
    is_empty: bool  # every value is zero


@dataclass(frozen=True)
class BarChart(_Chart):
    series: Sequence[Series]
    columns: list[Column]
    is_stacked: bool

    @property
    def has_hatch(self) -> bool:
        return any(column.hatched for column in self.columns)


@dataclass(frozen=True)
class LineChart(_Chart):
    line: str
    unfinished_line: str  # drawn dashed
    area: str
    points: list[Point]
    has_points: bool  # else they show on hover and focus


@dataclass(frozen=True)
class Sparkline:
    title: str
    width: int
    height: int
    line: str
    area: str


class Arc(NamedTuple):
    path: str
    color: int
    href: str | None
    title: str


class TextLine(NamedTuple):
    text: str
    y: float
    font_size: int
    is_center: bool  # the number, not its label


@dataclass(frozen=True)
class Donut:
    id: str
    title: str
    description: str
    size: int
    slices: list[Slice]  # as drawn, those without a value too
    arcs: list[Arc]
    ring: str | None  # drawn if there is no arc
    text: list[TextLine]
    has_links: bool
    angles: list[tuple[float, float]] = field(
        default_factory=list
    )  # of each arc, in degrees from 12 o'clock, with its gap


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
    """Bars of one or more series, on each other or side by side. Negative values hang below the zero line."""
    number = _remembered(format_number)
    by_period = list(zip(*(one.values for one in series), strict=True)) or [()] * len(periods)
    totals = [sum(values) for values in by_period]
    if stacked:
        highs = [sum(value for value in values if value > 0) for values in by_period]
        lows = [sum(value for value in values if value < 0) for values in by_period]
    else:
        highs, lows = ([limit(values, default=0) for values in by_period] for limit in (max, min))
    scale = _Scale.covering(min([0, *lows]), max([0, *highs]))

    slot = 100 / max(len(periods), 1)
    bars_of_group = 1 if stacked else max(len(series), 1)
    share, widest = (
        (0.76, _WIDEST_BAR) if bars_of_group == 1 else (0.84, min(_WIDEST_GROUP, _WIDEST_BAR * bars_of_group))
    )
    # Bars that touch overlap by a part of a pixel: positions are rounded, and the background would show between them.
    is_touching = len(periods) > _MOST_WITH_GAPS
    width = slot + 0.05 if is_touching else min(slot * share, widest)
    # A group's bars have a gap of an eighth of a bar between them.
    bar_width = 100 / (bars_of_group + (bars_of_group - 1) / 8)
    positions = (
        [("0", "100%")]
        if bars_of_group == 1
        else [(_percent(k * bar_width * 9 / 8), _percent(bar_width)) for k in range(bars_of_group)]
    )
    column_width, margin = _percent(width), max(0.0, (slot - width) / 2)

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
                _percent(slot * index + margin),
                column_width,
                [
                    Mark(x, bar, y, height, one.color, one.hrefs[index], one.label + ending + number(value))
                    for one, value, x, bar, y, height in bars
                ],
                # Stripes over less than four pixels would leave nothing of the bar.
                [(x, bar, y, height) for _, _, x, bar, y, height in bars if height > 3] if period.is_unfinished else [],
            )
        )
    return BarChart(
        id=id,
        title=title,
        description=description,
        axes=_axes(periods, scale, number, label_steps, _slots(periods, totals, number, colon)),
        has_links=any(href for one in series for href in one.hrefs),
        is_empty=not columns,
        series=series,
        columns=columns,
        is_stacked=stacked,
    )


def line_chart(
    periods: Sequence[Period],
    values: Sequence[int],
    *,
    format_number: Callable[[int], str],
    title: str,
    description: str,
    id: str,
    hrefs: Sequence[str | None] | None = None,
    label_steps: Sequence[int] = DAY_STEPS,
    from_zero: bool = True,
    colon: str = ": ",
) -> LineChart:
    """A line of one value per period, such as a running total. Periods have the same places as in a bar chart."""
    number = _remembered(format_number)
    low, high = min(values, default=0), max(values, default=0)
    scale = _Scale.covering(min(low, 0), max(high, 0)) if from_zero else _Scale.covering(low, high)
    slot = 100 / max(len(periods), 1)
    heights = [scale.y(value) for value in values]
    # The line is drawn in a box that is 1,000 units wide, whatever the width of the plot.
    places = [f"{slot * 10 * (index + 0.5):.1f} {y:.1f}" for index, y in enumerate(heights)]
    unfinished = next((index for index, period in enumerate(periods) if period.is_unfinished), len(places))
    slot_width = _percent(slot)
    points = [
        Point(
            _percent(slot * (index + 0.5)),
            round(y, 1),
            _percent(slot * index),
            slot_width,
            hrefs[index] if hrefs else None,
            f"{period.title}{colon}{number(value)}",
        )
        for index, (period, value, y) in enumerate(zip(periods, values, heights, strict=True))
    ]
    return LineChart(
        id=id,
        title=title,
        description=description,
        axes=_axes(periods, scale, number, label_steps, []),
        has_links=any(hrefs or ()),
        is_empty=not any(values),
        line=_path(places[: max(unfinished, 1)]),
        unfinished_line=_path(places[max(unfinished - 1, 0) :]),
        # An area says that its height counts, which is so only from zero.
        area=_area(places, scale.zero_y) if from_zero else "",
        points=points,
        has_points=len(points) <= _MOST_WITH_POINTS,
    )


def sparkline(values: Sequence[int], *, title: str) -> Sparkline:
    """A line without axes, for a place beside a number. Its bottom is zero, or the least value if that is negative."""
    low, high = min(0, min(values, default=0)), max(0, max(values, default=0))
    top, bottom = 2, SPARKLINE_HEIGHT - 2
    unit = (bottom - top) / max(high - low, 1)
    step = (SPARKLINE_WIDTH - 4) / max(len(values) - 1, 1)
    places = [f"{2 + step * index:.1f} {bottom - (value - low) * unit:.1f}" for index, value in enumerate(values)]
    if len(places) == 1:
        places.append(f"{SPARKLINE_WIDTH - 2} {places[0].split()[1]}")
    return Sparkline(title, SPARKLINE_WIDTH, SPARKLINE_HEIGHT, _path(places), _area(places, round(bottom + low * unit)))


def donut(
    slices: Sequence[Slice],
    *,
    title: str,
    description: str,
    center: str,
    center_label: str,
    id: str,
    colon: str = ": ",
) -> Donut:
    """Shares of a total. The largest slice begins at 12 o'clock; the grey one, of what is left over, comes last."""
    ordered = sorted(slices, key=lambda one: (one.color == 0, -one.value))
    shown = [one for one in ordered if one.value > 0]
    arcs, angles, start = [], [], 0.0
    for one, angle in zip(shown, _angles([one.value for one in shown]), strict=True):
        angles.append((start, start + angle))
        path = _ring() if len(shown) == 1 else _arc(start + _GAP / 2, start + angle - _GAP / 2)
        text = f"{one.text} · {one.share}" if one.share else one.text
        arcs.append(Arc(path, one.color, one.href, f"{one.label}{colon}{text}"))
        start += angle
    return Donut(
        id=id,
        title=title,
        description=description,
        size=DONUT_SIZE,
        slices=ordered,
        arcs=arcs,
        ring=None if arcs else _ring(),
        text=_center(center, center_label),
        has_links=any(one.href for one in shown),
        angles=angles,
    )


def text_width(text: str, font_size: float = FONT_SIZE) -> float:
    """The width of a text in pixels, rather too large than too small: no common sans-serif font is wider."""
    return _ems(text) * font_size


def ticks(low: int, high: int) -> list[int]:
    """Three to five round numbers, from one that is not above low to one that is not below high."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            first, last = low // (step * factor), -(-high // (step * factor))
            if last - first <= 4:
                # One of which there is little is still shown on a scale: 0, 1, 2.
                last = max(last, first + 2)
                return [n * step * factor for n in range(first, last + 1)]
        step *= 10


@dataclass(frozen=True)
class _Scale:
    values: list[int]  # of the grid lines
    pixels_per_unit: float

    @classmethod
    def covering(cls, low: int, high: int) -> "_Scale":
        values = ticks(low, high)
        return cls(values, _PLOT_HEIGHT / (values[-1] - values[0]))

    def y(self, value: int) -> float:
        return PLOT_BOTTOM - (value - self.values[0]) * self.pixels_per_unit

    @property
    def zero_y(self) -> int:
        return round(self.y(0))


def _axes(
    periods: Sequence[Period],
    scale: _Scale,
    number: Callable[[int], str],
    label_steps: Sequence[int],
    slots: list[Slot],
) -> Axes:
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
        dots=[_percent(slot * (index + 0.5)) for index, period in enumerate(periods) if period.is_provisional],
        labels=_labels([period.label for period in periods], axis_width, label_steps),
        is_dense=_MOST_WITH_LARGE_DOTS < len(periods) <= _MOST_WITH_GAPS,
    )


def _slots(periods: Sequence[Period], totals: Sequence[int], number: Callable[[int], str], colon: str) -> list[Slot]:
    slot = 100 / max(len(periods), 1)
    width = _percent(slot)
    return [
        Slot(_percent(slot * index), width, f"{period.title}{colon}{number(total)}")
        for index, (period, total) in enumerate(zip(periods, totals, strict=True))
    ]


def _labels(texts: Sequence[str], axis_width: int, steps: Sequence[int]) -> list[PeriodLabel]:
    """The labels of the periods, each with the widths at which it is shown. They never touch."""
    if not texts:
        return []
    slot = 100 / len(texts)
    widths = [text_width(text) for text in texts]
    needed = max(widths) + _LABEL_GAP
    # The first label may reach below the axis' numbers. If even that is too narrow it begins where the plot begins.
    narrowest = (WIDTHS["tiny"] - axis_width) / len(texts)
    is_start = widths[0] / 2 > axis_width + narrowest / 2 or (
        len(texts) == 1 and widths[0] > 2 * axis_width + narrowest
    )
    classes: dict[int, list[str]] = {}
    for name, width in WIDTHS.items():
        plot = width - axis_width
        pixels = plot / len(texts)
        # A label that begins at its place needs half of its width more.
        room = needed + (widths[0] - pixels) / 2 if is_start and widths[0] > pixels else needed
        fewest = room / pixels
        step = next((step for step in steps if step >= fewest), math.ceil(fewest))
        for index in range(0, len(texts), step):
            if index == 0 or (index + 0.5) * pixels + widths[index] / 2 <= plot + _MOST_BEYOND:
                classes.setdefault(index, []).append(name)
    return [
        PeriodLabel(
            "0" if is_start and index == 0 else _percent(slot * (index + 0.5)),
            texts[index],
            " ".join([*names, "start"] if is_start and index == 0 else names),
        )
        for index, names in sorted(classes.items())
    ]


# A series and its value, and x, width, y and height of its bar.
_Bar = tuple[Series, int, str, str, int, int]


def _stacked(series: Sequence[Series], index: int, scale: _Scale, *, with_gaps: bool) -> list[_Bar]:
    bars: list[_Bar] = []
    zero = scale.zero_y
    for sign in (1, -1):
        signed = [(one, one.values[index]) for one in series if one.values[index] * sign > 0]
        spans = _stack([abs(value) for _, value in signed], scale.pixels_per_unit)
        for (one, value), (start, end) in zip(signed, spans, strict=True):
            # One pixel of the background between two marks, if the one nearer to zero has some to spare.
            gap = 1 if with_gaps and end != spans[-1][1] and end - start > 2 else 0
            # Below zero a bar begins under the zero line, which stays visible.
            y = zero - end + gap if sign > 0 else zero + 1 + start
            bars.append((one, value, "0", "100%", y, end - start - gap))
    return bars


def _side_by_side(
    series: Sequence[Series], index: int, scale: _Scale, positions: Sequence[tuple[str, str]]
) -> list[_Bar]:
    bars: list[_Bar] = []
    for one, (x, width) in zip(series, positions, strict=False):
        if value := one.values[index]:
            height = max(1, round(abs(value) * scale.pixels_per_unit))
            bars.append((one, value, x, width, scale.zero_y - height if value > 0 else scale.zero_y + 1, height))
    return bars


def _stack(values: Sequence[int], pixels_per_unit: float) -> list[tuple[int, int]]:
    """Where each of some positive values begins and ends, in whole pixels. Each has one at least.

    The stack is as high as the sum says. What the smallest need more is taken from those below them.
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


def _angles(values: Sequence[int]) -> list[float]:
    """Degrees for each value, 360 in all. The smallest slices get some from the larger ones, to be seen."""
    if not values:
        return []
    least = min(_SMALLEST_SLICE + _GAP, 360 / len(values))
    total = sum(values)
    angles = [360 * value / total for value in values]
    small = {index for index, angle in enumerate(angles) if angle < least}
    while small and len(small) < len(values):
        rest = sum(value for index, value in enumerate(values) if index not in small)
        left = 360 - least * len(small)
        angles = [least if index in small else left * value / rest for index, value in enumerate(values)]
        more = {index for index, angle in enumerate(angles) if angle < least and index not in small}
        if not more:
            break
        small |= more
    return angles


def _arc(start: float, end: float) -> str:
    large = int(end - start > 180)
    outer, inner = f"{_OUTER_RADIUS:g} {_OUTER_RADIUS:g}", f"{_INNER_RADIUS:g} {_INNER_RADIUS:g}"
    return (
        f"M{_polar(_OUTER_RADIUS, start)}A{outer} 0 {large} 1 {_polar(_OUTER_RADIUS, end)}"
        f"L{_polar(_INNER_RADIUS, end)}A{inner} 0 {large} 0 {_polar(_INNER_RADIUS, start)}Z"
    )


def _ring() -> str:
    return "".join(
        f"M{_polar(radius, 0)}A{radius:g} {radius:g} 0 1 {sweep} {_polar(radius, 180)}"
        f"A{radius:g} {radius:g} 0 1 {sweep} {_polar(radius, 0)}Z"
        for radius, sweep in ((_OUTER_RADIUS, 1), (_INNER_RADIUS, 0))
    )


def _polar(radius: float, degrees: float) -> str:
    angle = math.radians(degrees)
    middle = DONUT_SIZE / 2
    return f"{middle + radius * math.sin(angle):.2f} {middle - radius * math.cos(angle):.2f}"


def _center(center: str, label: str) -> list[TextLine]:
    """The number in the middle as large as it fits, and below it its label on one line or two."""
    room = 2 * _INNER_RADIUS - 16
    # Bold digits are an eighth wider.
    size = next((size for size in range(28, 10, -2) if text_width(center, size) * 1.125 <= room), 10)
    lines = [label]
    if text_width(label) > room - 8 and " " in label:
        words = label.split(" ")
        halves = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
        lines = list(min(halves, key=lambda pair: max(map(text_width, pair))))
    lines = [line for line in lines if line]
    top = DONUT_SIZE / 2 - (size * 0.72 + 17 * len(lines)) / 2 + size * 0.72
    return [
        TextLine(center, round(top, 1), size, True),
        *(
            TextLine(line, round(top + 1 + 17 * (k + 1), 1), _fitting(line, room), False)
            for k, line in enumerate(lines)
        ),
    ]


def _fitting(text: str, room: float) -> int:
    return next((size for size in (FONT_SIZE, 11) if text_width(text, size) <= room), 10)


def _path(places: Sequence[str]) -> str:
    return "M" + "L".join(places) if len(places) > 1 else ""


def _area(places: Sequence[str], bottom: int) -> str:
    if len(places) < 2:
        return ""
    return f"{_path(places)}V{bottom}H{places[0].split()[0]}Z"


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _remembered(format_number: Callable[[int], str]) -> Callable[[int], str]:
    """Formats each number once. Babel takes 10 microseconds for one, and most numbers of a chart come twice."""
    known: dict[int, str] = {}

    def number(value: int) -> str:
        text = known.get(value)
        if text is None:
            text = known[value] = format_number(value)
        return text

    return number


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
    # Letters and digits of DejaVu Sans, the widest of the common fonts, are 0.65 em; those of Asia a whole one.
    return _EMS.get(character) or (0.66 if character < "\u0250" else 0.8 if character < "\u1100" else 1.1)
