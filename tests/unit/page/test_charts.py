"""The charts of the report page: what is drawn where, and what a browser is given."""

import colorsys
import math
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.settings import PROJECT_ROOT
from page.charts import (
    DAY_STEPS,
    PLOT_BOTTOM,
    PLOT_TOP,
    WIDTHS,
    BarChart,
    Donut,
    LineChart,
    Period,
    PeriodLabel,
    Series,
    Slice,
    bar_chart,
    donut,
    line_chart,
    sparkline,
    text_width,
    ticks,
)

STYLES = (PROJECT_ROOT / "page" / "static" / "charts.css").read_text()
# A name as someone may choose it who wants to see what the page does with it.
NASTY = """</title><script>alert(1)</script>" onload='x' & <b>"""


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


def line(values: Sequence[int], *, from_zero: bool = True, unfinished: bool = False, links: bool = True) -> LineChart:
    return line_chart(
        days(len(values), unfinished=unfinished),
        values,
        format_number=formatted,
        title="Contacts",
        description="Running total",
        id="total",
        hrefs=["/log"] * len(values) if links else None,
        from_zero=from_zero,
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


def pixels_per_unit(values: Sequence[Sequence[int]]) -> float:
    """Of stacked values that are not negative."""
    highest = max(map(sum, zip(*values, strict=True)))
    return (PLOT_BOTTOM - PLOT_TOP) / ticks(0, highest)[-1]


# Axes


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


# Bars


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
    assert all(found.tag != "a" for found in elements("bar_chart", chart))


# Labels of periods


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


# Lines


@given(st.lists(st.integers(-(10**9), 10**9), max_size=100), st.booleans())
def test_points_are_inside_the_plot(values: list[int], from_zero: bool) -> None:
    chart = line(values, from_zero=from_zero)
    assert len(chart.points) == len(values)
    for x, y, *_ in chart.points:
        assert 0 < percent(x) < 100
        assert PLOT_TOP <= y <= PLOT_BOTTOM
    assert not re.search("nan|inf", chart.line + chart.area)


def test_a_line_leads_to_an_unfinished_period_dashed() -> None:
    chart = line([1, 2, 3], unfinished=True)
    assert chart.line.count("L") == 1
    assert chart.unfinished_line.count("L") == 1
    assert chart.unfinished_line.startswith("M" + chart.line.split("L")[1])
    assert line([1, 2, 3]).unfinished_line == ""


def test_points_of_a_line_stand_where_bars_stand() -> None:
    middles = [percent(column.x) + percent(column.width) / 2 for column in bars([[4, 5, 6]]).columns]
    assert [percent(point.x) for point in line([4, 5, 6]).points] == pytest.approx(middles, abs=0.02)


def test_only_a_line_from_zero_has_an_area() -> None:
    assert line([48_000, 48_100]).area
    chart = line([48_000, 48_100], from_zero=False)
    assert not chart.area
    assert chart.axes.grid[0].label == "48,000"


@given(st.lists(st.integers(-(10**9), 10**9), max_size=100))
def test_a_sparkline_stays_in_its_box(values: list[int]) -> None:
    chart = sparkline(values, title="Growth")
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", chart.line)]
    assert all(0 <= x <= chart.width for x in numbers[::2])
    assert all(0 <= y <= chart.height for y in numbers[1::2])


# Donut


@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**9)), max_size=40))
def test_slices_fill_the_ring_and_can_all_be_seen(values: list[int]) -> None:
    chart = ring(values)
    shown = [value for value in values if value]
    assert len(chart.arcs) == len(chart.angles) == len(shown)
    assert sum(end - start for start, end in chart.angles) == pytest.approx(360 if shown else 0)
    assert all(end - start >= 1.8 for start, end in chart.angles)
    for (_, end), (start, _) in pairwise(chart.angles):
        assert start == pytest.approx(end)
    assert not re.search("nan|inf", "".join(arc.path for arc in chart.arcs))


def test_slices_are_as_large_as_their_values_and_the_largest_comes_first() -> None:
    starts = [start for start, _ in ring([25, 50, 15, 10]).angles]
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


# What a browser is given


@cache
def macros() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(PROJECT_ROOT / "page" / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def rendered(macro: str, *arguments: object) -> str:
    return str(getattr(macros().get_template("charts.html").module, macro)(*arguments))


def elements(macro: str, *arguments: object) -> Iterator[ElementTree.Element]:
    """Fails if it is not well-formed."""
    return ElementTree.fromstring(rendered(macro, *arguments)).iter()


def nasty_series() -> list[Series]:
    return [Series(NASTY, 1, [5, 0], [f"/log?source={NASTY}", None], f"?source={NASTY}", NASTY, NASTY)]


def charts_of_all_kinds() -> list[tuple[str, object]]:
    periods = [Period(NASTY, NASTY, is_provisional=True), Period(NASTY, NASTY, is_unfinished=True)]
    bar = bar_chart(
        periods,
        nasty_series(),
        stacked=True,
        title=NASTY,
        description=NASTY,
        format_number=lambda _: NASTY,
        id="a",
    )
    points = line_chart(
        periods,
        [5, 6],
        title=NASTY,
        description=NASTY,
        format_number=lambda _: NASTY,
        id="b",
        hrefs=[NASTY, None],
    )
    slices = [Slice(NASTY, 1, 5, NASTY, NASTY, NASTY)]
    return [
        ("bar_chart", bar),
        ("line_chart", points),
        ("donut", donut(slices, title=NASTY, description=NASTY, center=NASTY, center_label=NASTY, id="c")),
        ("sparkline", sparkline([1, 2], title=NASTY)),
        ("key", nasty_series()),
        ("bar_chart", bars([[40] * 30, [30] * 30], unfinished=True, provisional=3)),
        ("bar_chart", bars([[40, -3]], stacked=False)),
        ("line_chart", line([3, 4, 5], links=False)),
        ("donut", ring([5, 3, 0])),
    ]


@pytest.mark.parametrize(("macro", "chart"), charts_of_all_kinds())
def test_text_is_text_and_nothing_has_a_style(macro: str, chart: object) -> None:
    for element in elements(macro, chart):
        assert element.tag not in ("script", "style", "b")
        assert not {"style", "onload"} & set(element.attrib)
        assert not (element.text or "").count("&lt;"), "escaped twice"


@pytest.mark.parametrize(("macro", "chart"), charts_of_all_kinds())
def test_every_link_and_every_chart_has_a_name(macro: str, chart: object) -> None:
    found = list(elements(macro, chart))
    ids = [element.attrib["id"] for element in found if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    for element in found:
        if element.tag == "a":
            assert "".join(element.itertext()).strip()
        for attribute in ("aria-labelledby", "aria-describedby"):
            assert element.attrib.get(attribute, ids[0] if ids else "") in ([*ids, ""])
        if element.attrib.get("role") in ("img", "group"):
            assert {"aria-labelledby", "aria-label"} & set(element.attrib)
        if element.attrib.get("role") == "img":
            assert all(child.tag != "a" for child in element.iter())


def test_links_lead_where_they_should() -> None:
    found = [element.attrib["href"] for element in elements("bar_chart", bars([[3, 0, 4]])) if element.tag == "a"]
    assert found == ["/log?day=0", "/log?day=2"]


def test_every_class_has_a_rule() -> None:
    for macro, chart in charts_of_all_kinds():
        for element in elements(macro, chart):
            for name in element.attrib.get("class", "").split():
                assert re.search(rf"\.{re.escape(name)}\b(?!-)", STYLES), name


# Colours


def theme(selector: str) -> dict[str, str]:
    """The properties of the first rule with a selector."""
    body = STYLES[STYLES.index(f"\n{selector}") :].split("{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"(--chart-[\w-]+): ([^;]+);", body))


LIGHT = theme(":root {")
DARK = theme('  :root:not([data-theme="light"])')
PRINT = theme("  :root,\n")


def channels(color: str) -> list[float]:
    return [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def linear(color: str) -> list[float]:
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(color)]


def contrast(first: str, second: str) -> float:
    def luminance(color: str) -> float:
        return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear(color), strict=True))

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_colors_can_be_seen_and_text_can_be_read(colors: dict[str, str]) -> None:
    background = colors["--chart-background"]
    for slot in range(9):
        assert contrast(colors[f"--chart-{slot}"], background) >= 3
    for name in ("text", "text-muted", "focus"):
        assert contrast(colors[f"--chart-{name}"], background) >= 4.5


# What a reader sees who lacks one of the three cones, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHT = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.1523, 1.0526, -0.2049), (0.1145, 0.7863, 0.0992), (-0.0039, -0.0481, 1.0520)),
    "deuteranopia": ((0.3673, 0.8606, -0.2280), (0.2801, 0.6725, 0.0474), (-0.0118, 0.0429, 0.9689)),
    "tritanopia": ((1.2555, -0.0767, -0.1788), (-0.0784, 0.9308, 0.1476), (0.0047, 0.6914, 0.3039)),
}


def product(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def oklab(color: str, sight: str) -> list[float]:
    """A colour in a space where distances are as large as they look."""
    seen = [min(max(part, 0), 1) for part in product(SIGHT[sight], linear(color))]
    cones = product(((0.4122, 0.5363, 0.0514), (0.2119, 0.6807, 0.1074), (0.0883, 0.2817, 0.6300)), seen)
    axes = ((0.2105, 0.7936, -0.0041), (1.9780, -2.4286, 0.4506), (0.0259, 0.7828, -0.8087))
    return product(axes, [cone ** (1 / 3) for cone in cones])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_colors_can_be_told_apart(colors: dict[str, str], sight: str) -> None:
    palette = [oklab(colors[f"--chart-{slot}"], sight) for slot in range(1, 9)]
    # 0.02 can just be told apart side by side. The closest two of Okabe and Ito's palette are 0.076 apart.
    assert all(math.dist(first, second) >= 0.06 for first, second in combinations(palette, 2))
    # Slots that follow each other touch in a stack.
    assert all(math.dist(first, second) >= 0.11 for first, second in pairwise(palette))


def test_a_slot_has_one_hue_in_all_themes() -> None:
    for slot in range(1, 9):
        hues = [colorsys.rgb_to_hls(*channels(colors[f"--chart-{slot}"]))[0] for colors in (LIGHT, DARK, PRINT)]
        assert max(hues) - min(hues) < 15 / 360


def test_the_dark_theme_is_the_same_by_choice_and_by_preference() -> None:
    assert theme('  :root[data-theme="dark"]') == DARK
    assert set(DARK) == set(PRINT) == set(LIGHT)


def test_neighbours_differ_in_lightness_on_paper() -> None:
    for slot in range(1, 8):
        assert contrast(PRINT[f"--chart-{slot}"], PRINT[f"--chart-{slot + 1}"]) >= 1.3


def test_the_style_sheet_has_the_widths_of_the_labels() -> None:
    widths = [int(width) for width in re.findall(r"@container chart \(min-width: (\d+)px\)", STYLES)]
    assert widths == list(WIDTHS.values())[1:]
