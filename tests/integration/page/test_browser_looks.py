"""How the page looks and is reached: axe, themes, phone, keyboard."""

import base64

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.integration.page.visiting import DESKTOP, PHONE, Sample, Visitor

pytestmark = pytest.mark.slow

PAGES = (
    "/?workspace=aurora&date_range=last_30_days",
    "/?workspace=tui&date_range=last_30_days",
    "/?workspace=lumiere&channel=unknown&lang=fr",
    "/logs/connected?workspace=bergwerk&date_range=last_30_days",
    "/quality/rejected_records?workspace=aurora",
    "/quality/reconciliation?workspace=tui",
    "/docs",
)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing(browser: Browser, address: str, published: Sample, look: str) -> None:
    context = browser.new_context(
        viewport=PHONE if look == "phone" else DESKTOP, color_scheme="dark" if look == "dark" else "light"
    )
    visitor = Visitor(context, address)
    event = published.reports.logs["merged"][0]
    story = f"/events/merged?workspace={event['workspace_id']}&event={event['event_id']}"
    wrong = "/?workspace=tui&from=2026-11-20&to=2026-11-01&q=0&shown=&lang=fr"
    for path in (*PAGES, story, wrong):
        page = visitor.page
        page.goto(address + path)
        for details in page.locator("main .tools details").all()[:4]:
            details.evaluate("details => details.open = true")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{path} is {width} pixels too wide"
    assert [said for said in visitor.complaints if "422" not in said] == []
    context.close()


def test_the_theme_of_the_address_wins_over_the_systems_and_paper_is_white(browser: Browser, address: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = Visitor(context, address).open("/?workspace=tui&theme=light")

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    assert ground() == "rgb(245, 246, 248)"
    page.goto(f"{address}/?workspace=tui")
    assert ground() == "rgb(1, 4, 9)"
    page.goto(f"{address}/?workspace=tui&theme=dark")
    page.emulate_media(color_scheme="light")
    assert ground() == "rgb(1, 4, 9)"
    page.emulate_media(media="print")
    assert ground() == "rgb(255, 255, 255)"
    context.close()


def test_no_text_of_a_chart_is_smaller_than_ten_pixels_on_a_phone(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=PHONE)
    page = Visitor(context, address).open("/?workspace=aurora&date_range=last_30_days")
    heights = page.evaluate(
        """() => [...document.querySelectorAll("main svg text")]
            .filter(text => text.getClientRects().length && text.getBoundingClientRect().width)
            .map(text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().d)"""
    )
    assert heights and min(heights) >= 10
    context.close()


def test_the_keyboard_alone_reaches_everything(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=tui&date_range=yesterday")
    page.locator("main details").evaluate_all("all => all.forEach(one => one.open = true)")
    wanted = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
            .filter(one => one.checkVisibility()).map((one, number) => (one.dataset.number = number))"""
    )
    reached = set()
    for _ in range(3 * len(wanted)):
        page.keyboard.press("Tab")
        number = page.evaluate("document.activeElement.dataset.number ?? null")
        if number is not None:
            reached.add(int(number))
    assert set(wanted) - reached == set()


def test_the_keyboard_alone_sets_a_filter(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.locator("details.choices summary").nth(2).focus()
    page.keyboard.press("Enter")
    while page.evaluate("document.activeElement.type") != "checkbox":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "source=" in page.url


def test_each_chart_with_bars_can_be_skipped(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=aurora&date_range=last_30_days")
    for chart in ("overview_bar_chart", "added_bar_chart", "connected_bar_chart"):
        bars = page.locator(f"#{chart} .chart-plot a")
        assert bars.count() > 60
        skip = page.locator(f"#{chart} .skip-chart")
        skip.focus()
        box = skip.bounding_box()
        assert box is not None and box["x"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        after = page.evaluate("document.activeElement.closest('.tools') !== null")
        assert after, page.evaluate("document.activeElement.outerHTML")
        # The bars are still reached by those who go on.
        skip.focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('.chart-plot') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_that_goes_on_has_a_shadow_at_that_edge(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme="dark" if scheme == "dark" else "light")
    page = Visitor(context, address).open("/logs/added?workspace=aurora")
    region = page.locator(".scroll").first
    region.evaluate("region => region.scrollIntoView()")

    def contrast_of_edges() -> tuple[bool, bool]:
        """Whether the pixels at the left and at the right edge of the head differ from the card."""
        picture = base64.b64encode(region.screenshot()).decode()
        blank = context.new_page()
        pixels = blank.evaluate(
            """async picture => {
                const image = new Image();
                image.src = "data:image/png;base64," + picture;
                await image.decode();
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [image.width, image.height];
                const drawing = canvas.getContext("2d");
                drawing.drawImage(image, 0, 0);
                return [1, image.width - 2].map(x => [...drawing.getImageData(x, 3, 1, 1).data]);
            }""",
            picture,
        )
        blank.close()
        card = {"light": [255, 255, 255], "dark": [13, 17, 23]}[scheme]
        left, right = (max(abs(one - other) for one, other in zip(pixel, card, strict=False)) > 20 for pixel in pixels)
        return left, right

    assert contrast_of_edges() == (False, True)
    region.evaluate("region => { region.scrollLeft = 60 }")
    assert contrast_of_edges() == (True, True)
    region.evaluate("region => { region.scrollLeft = 10000 }")
    assert contrast_of_edges() == (True, False)
    context.close()
