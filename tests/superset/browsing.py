"""The dashboard in a browser: what its charts ask Superset for, and what they get."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Response
from playwright.sync_api import TimeoutError as TookTooLong

from tests.superset.bundle import CHARTS, FILTERS
from tests.superset.server import USER, Superset

# High enough for all charts but the logs in other tabs: what is not on the screen is not asked for.
SCREEN = {"width": 1500, "height": 3400}


@dataclass
class Shown:
    """The answers that a dashboard's charts got, by the name of the chart's file. The last one counts."""

    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def logged_in(browser: Browser, superset: Superset) -> BrowserContext:
    """A browser in which somebody has logged in."""
    context = browser.new_context(viewport=SCREEN, base_url=superset.address)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/login/")
    page.locator("#username").fill(USER)
    page.locator("#password").fill(superset.password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login" not in address)
    page.close()
    return context


def show(context: BrowserContext, filters: str = "", picture: str | None = None) -> Shown:
    """Open the dashboard, with filters as its addresses have them, and every tab of it."""
    page = context.new_page()
    charts = context.request.get("/api/v1/dashboard/contacts/charts").json()["result"]
    titles = {chart["slice_name"]: name for name, chart in CHARTS.items()}
    names = {chart["id"]: titles[chart["slice_name"]] for chart in charts}
    assert sorted(names.values()) == sorted(CHARTS), "The dashboard has other charts than the bundle"
    shown = Shown()
    page.on("response", lambda response: _note(response, names, shown))
    page.goto(f"/superset/dashboard/contacts/?native_filters={filters}" if filters else "/superset/dashboard/contacts/")
    others = {f"{event}_log" for event in ("connected", "deleted", "merged")}
    _wait_for(page, shown, set(CHARTS) - others)
    if picture:
        page.wait_for_timeout(3000)  # Charts grow into their place.
        page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": SCREEN["width"], "height": 1500})
    for event in ("connected", "deleted", "merged"):
        page.get_by_role("tab", name=f"Contacts {event}").click()
        _wait_for(page, shown, {f"{event}_log"})
    page.close()
    assert not shown.failures
    return shown


def in_address(choices: Mapping[str, Sequence[object]], *, dates: str, grain: str) -> str:
    """Filters as the dashboard's addresses have them (Rison): chosen values by the filter's name, dates, frequency."""
    known = {entry["name"]: entry for entry in FILTERS}
    masks = [
        _mask(known["Dates"]["id"], f"time_range:{_text(dates)}", _text(dates)),
        _mask(known["Frequency"]["id"], f"time_grain_sqla:{grain}", f"!({grain})"),
    ]
    for name, values in choices.items():
        chosen = f"!({','.join(map(_text, values))})"
        column = known[name]["targets"][0]["column"]["name"]
        masks.append(_mask(known[name]["id"], f"filters:!((col:{column},op:IN,val:{chosen}))", chosen))
    return f"({','.join(masks)})"


def _mask(identity: str, form: str, value: str) -> str:
    return f"{identity}:(id:{identity},extraFormData:({form}),filterState:(value:{value}),ownState:())"


def _text(value: object) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'".replace(" ", "%20")


def _note(response: Response, names: Mapping[int, str], shown: Shown) -> None:
    if "/api/v1/chart/data" not in response.url:
        return
    form = (response.request.post_data_json or {}).get("form_data", {})
    if response.status != 200:
        shown.failures.append(f"{response.status} {form.get('slice_id')}: {response.text()[:500]}")
    elif form.get("slice_id") in names:
        shown.answers[names[form["slice_id"]]] = response.json()["result"]


def _wait_for(page: Page, shown: Shown, names: set[str]) -> None:
    """Wait until these charts have their answers and nothing more is asked."""
    until = time.monotonic() + 120
    while not names <= shown.answers.keys() and not shown.failures:
        assert time.monotonic() < until, f"No answer for {sorted(names - shown.answers.keys())}"
        page.wait_for_timeout(200)
    try:
        page.wait_for_load_state("networkidle", timeout=20_000)
    except TookTooLong:
        shown.failures.append("The dashboard does not stop asking")
