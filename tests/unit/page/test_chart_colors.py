"""The colours of the page and its charts: in every theme text can be read, and the palette can be told apart."""

import colorsys
import math
import re
from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest

from orchestration.lib.settings import PROJECT_ROOT

PAGE, CHARTS = ((PROJECT_ROOT / "page" / "static" / name).read_text() for name in ("page.css", "charts.css"))


def rules(selector: str) -> str:
    """What both style sheets have in the first rule with a selector."""
    return "".join(sheet[sheet.index(f"\n{selector}") :].split("{", 1)[1].split("}", 1)[0] for sheet in (PAGE, CHARTS))


PAIRS = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", rules(":root {"))
LIGHT = {name: light for name, light, _ in PAIRS}
DARK = {name: dark for name, _, dark in PAIRS}
ON_PAPER = dict(re.findall(r"--([\w-]+): (#\w{6});", rules("@media print {\n  :root {")))
PRINT = LIGHT | ON_PAPER


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
    for slot in range(9):
        assert contrast(colors[f"chart-{slot}"], colors["card"]) >= 3
    for name in ("text", "quiet", "accent", "warning"):
        assert contrast(colors[name], colors["card"]) >= 4.5
        assert contrast(colors[name], colors["ground"]) >= 4.5
    for name in ("text", "accent"):
        assert contrast(colors[name], colors["accent-ground"]) >= 4.5
    assert contrast(colors["on-accent"], colors["accent"]) >= 4.5
    # The frame of an input, and the zero line of a chart.
    assert contrast(colors["strong-line"], colors["card"]) >= 3


# Colours as seen with each type of colour blindness, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
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
    palette = [oklab(colors[f"chart-{slot}"], sight) for slot in range(1, 9)]
    # 0.02 can just be told apart side by side. The closest two of Okabe and Ito's palette are 0.076 apart.
    assert all(math.dist(first, second) >= 0.06 for first, second in combinations(palette, 2))
    # Slots that follow each other touch in a stack.
    assert all(math.dist(first, second) >= 0.11 for first, second in pairwise(palette))


def test_a_slot_has_one_hue_in_all_themes() -> None:
    for slot in range(1, 9):
        hues = [colorsys.rgb_to_hls(*channels(colors[f"chart-{slot}"]))[0] for colors in (LIGHT, DARK, PRINT)]
        assert max(hues) - min(hues) < 15 / 360


def test_a_printed_page_has_colors_of_its_own_for_all_that_charts_use() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", CHARTS))
    assert used <= set(ON_PAPER)


def test_neighbours_differ_in_lightness_on_paper() -> None:
    for slot in range(1, 8):
        assert contrast(PRINT[f"chart-{slot}"], PRINT[f"chart-{slot + 1}"]) >= 1.3
