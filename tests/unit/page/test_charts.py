"""The charts as a browser is given them: text, links, names."""

import re
from collections.abc import Iterator
from functools import cache
from xml.etree import ElementTree

import jinja2
import pytest

from orchestration.lib.settings import PROJECT_ROOT
from page.charts import Period, Series, Slice, bar_chart, donut
from page.charts.axes import WIDTHS
from tests.unit.page.small_charts import bars, ring

STYLES = "".join((PROJECT_ROOT / "page" / "static" / name).read_text() for name in ("charts.css", "legend.css"))
# A hostile name.
NASTY = """</title><script>alert(1)</script>" onload='x' & <b>"""


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
    return [Series(NASTY, 1, [5, 0], [f"/log?source={NASTY}", None], f"?source={NASTY}", NASTY)]


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
    slices = [Slice(NASTY, 1, 5, NASTY, NASTY, NASTY)]
    return [
        ("bar_chart", bar),
        ("donut", donut(slices, title=NASTY, description=NASTY, center=NASTY, center_label=NASTY, id="c")),
        ("key", nasty_series()),
        ("bar_chart", bars([[40] * 30, [30] * 30], unfinished=True, provisional=3)),
        ("bar_chart", bars([[40, -3]], stacked=False)),
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


@pytest.mark.parametrize("values", [[], [[]], [[0]], [[0] * 30, [0] * 30]])
def test_an_empty_plot_has_no_links(values: list[list[int]]) -> None:
    assert all(found.tag != "a" for found in elements("bar_chart", bars(values)))


def test_the_style_sheet_has_the_widths_of_the_labels() -> None:
    widths = [int(width) for width in re.findall(r"@container chart \(min-width: (\d+)px\)", STYLES)]
    assert widths == list(WIDTHS.values())[1:]
