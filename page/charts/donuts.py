"""Donut charts: shares of a total as slices of a ring."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from page.charts.axes import FONT_SIZE, text_width

DONUT_SIZE = 200

_OUTER_RADIUS, _INNER_RADIUS = 100.0, 68.0
# In degrees. A gap is 1.3 pixels wide at the outer edge, the smallest slice 2.5 pixels.
_GAP, _SMALLEST_SLICE = 0.75, 1.5


@dataclass(frozen=True)
class Slice:
    """A slice: one colour, and one entry of the legend."""

    label: str
    color: int
    value: int
    total: str  # the value, formatted; a column of the legend
    href: str | None = None
    share: str | None = None  # of the total, formatted; a column of the legend


class Arc(NamedTuple):
    """The shape of a slice."""

    path: str
    color: int
    href: str | None
    title: str
    start: float  # with its gap, in degrees from 12 o'clock
    end: float


class TextLine(NamedTuple):
    """A line of the text in the middle."""

    text: str
    y: float
    font_size: int
    is_center: bool  # the number, not its label


@dataclass(frozen=True)
class Donut:
    """Ring and legend, as `templates/charts.html` draws them."""

    id: str
    title: str
    description: str
    size: int
    slices: list[Slice]  # in the order of the ring, with the slices that are zero
    arcs: list[Arc]
    ring: str | None  # the empty ring, if there is no arc
    text: list[TextLine]
    has_links: bool


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
    """Shares of a total. The largest slice starts at 12 o'clock. The grey slice of the remaining values comes last."""
    ordered = sorted(slices, key=lambda one: (one.color == 0, -one.value))
    shown = [one for one in ordered if one.value > 0]
    arcs, start = [], 0.0
    for one, angle in zip(shown, _angles([one.value for one in shown]), strict=True):
        path = _ring() if len(shown) == 1 else _arc(start + _GAP / 2, start + angle - _GAP / 2)
        text = f"{one.total} · {one.share}" if one.share else one.total
        arcs.append(Arc(path, one.color, one.href, f"{one.label}{colon}{text}", start, start + angle))
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
    )


def _angles(values: Sequence[int]) -> list[float]:
    """Degrees for each value, 360 in total. The smallest slices are enlarged at the cost of the others."""
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
    """The number in the middle, as large as fits, and its label below on one or two lines."""
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
