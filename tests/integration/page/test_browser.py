"""The report page in a browser, on the sample: what people see is what an independent reckoning says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import duckdb
import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.harness import Pipeline
from tests.report_reckoning import EVENT_TYPES, Filters, Reports, Row, date_ranges

pytestmark = pytest.mark.slow

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)


@dataclass(frozen=True)
class Sample:
    """The sample as published, and what its logs amount to."""

    path: Path
    landing: Path
    reports: Reports
    today: dict[str, date]

    def rows(self, sql: str, parameters: list[object] | None = None) -> list[Row]:
        """The rows of a query on the published file."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            result = connection.execute(sql, parameters)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.fixture(scope="module")
def published(sample: Pipeline) -> Sample:
    path = sample.settings.published
    without_logs = Sample(path, Path(sample.settings.landing_url), Reports({}), {})
    logs = {event_type: without_logs.rows(f"from reports.contacts_{event_type}_log") for event_type in EVENT_TYPES}
    today = without_logs.rows("select workspace_id, end_date from reports.date_ranges where date_range = 'today'")
    return replace(without_logs, reports=Reports(logs), today={row["workspace_id"]: row["end_date"] for row in today})


class Visitor:
    """A person with a browser. Each message of its console and each request to somewhere else is a failure."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))

    def open(self, path: str) -> Page:
        """Open a path of the report page."""
        answer = self.page.goto(self.address + path)
        assert answer is not None and answer.status == 200, answer
        return self.page

    def _note(self, url: str) -> None:
        if not url.startswith(self.address) and not url.startswith("data:"):
            self.complaints.append(f"asked for {url}")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP, accept_downloads=True)
    yield context
    context.close()


@pytest.fixture
def visitor(context: BrowserContext, address: str) -> Iterator[Visitor]:
    visitor = Visitor(context, address)
    yield visitor
    assert visitor.complaints == []


def number_in(text: str) -> int:
    """The number at the beginning of a text, as English or French write it."""
    found = re.match(r"\s*([−+-]?[0-9][0-9,.\s\u202f\u00a0]*)", text)
    assert found, text
    return int(re.sub(r"[^0-9-]", "", found[1].replace("−", "-")))


def big_number(page: Page, component: str) -> int:
    return number_in(page.locator(f"#{component} .big").inner_text())


def listed(page: Page, component: str) -> dict[str, int]:
    """The entries of a list by source or channel."""
    rows = page.locator(f"#{component} .breakdown tbody tr").all()
    return {row.locator("th").inner_text(): number_in(row.locator("td").first.inner_text()) for row in rows}


def table(page: Page, component: str) -> list[list[str]]:
    """The numbers of a chart: its columns, and a row for each period."""
    rows = page.locator(f"#{component} .tools details table tr").all()
    return [[cell.text_content() or "" for cell in row.locator("th, td").all()] for row in rows]


def total_of_log(page: Page, component: str) -> int:
    text = page.locator(f"#{component} .more").inner_text()
    return number_in(text.split(" of ")[1])


def state(page: Page, component: str) -> str:
    found = page.locator(f"#{component} .state")
    if not found.count():
        return "ok"
    return "not_applicable" if "not_applicable" in (found.get_attribute("class") or "") else "no_data"


@dataclass(frozen=True)
class Case:
    """A date range, a frequency and the other filters. A value in braces is filled in with one of the sample."""

    date_range: str | None = None
    frequency: str | None = None
    workspace_id: str = "aurora"
    filters: dict[str, Any] = field(default_factory=dict)


CASES = {
    "no filter": Case(),
    "another workspace": Case(workspace_id="lumiere"),
    "a preset": Case("last_month"),
    "today": Case("today", workspace_id="lumiere"),
    "by week": Case("last_30_days", "week"),
    "custom dates by month": Case(frequency="month", filters={"start_date": 75, "end_date": 10}),
    "in total": Case("this_month", "total"),
    "two sources": Case("last_30_days", filters={"sources": ["user", "zapier"]}),
    "a channel": Case("last_30_days", filters={"channel_ids": ["{channel}"]}),
    "a user": Case("last_30_days", filters={"user_ids": ["{user}"]}),
    "a contact": Case("last_30_days", filters={"contact_ids": ["{contact}"]}),
    "a name": Case("last_30_days", filters={"contact_name": "maria"}),
    "all but the channel": Case(
        "last_30_days",
        "week",
        "harbour",
        {"sources": ["user", "zapier"], "user_ids": ["{user}"], "contact_name": "a"},
    ),
}
PARAMETERS = {"sources": "source", "channel_ids": "channel", "user_ids": "user", "contact_ids": "contact"}


def filters_of(case: Case, published: Sample) -> Filters:
    """The filters of a case."""
    today = published.today[case.workspace_id]
    start, end = date_ranges(today)[case.date_range or "last_7_days"]
    events = [
        event
        for event_type in ("connected", "added")
        for event in published.reports.logs[event_type]
        if event["workspace_id"] == case.workspace_id and event["report_date"] > today - timedelta(days=10)
    ]
    values = {
        "{channel}": next(event["channel_id"] for event in events if event.get("channel_id")),
        "{user}": next(event["user_id"] for event in events if event["user_id"]),
        "{contact}": events[0]["contact_id"],
    }
    filters: dict[str, Any] = {"start_date": start, "end_date": end, "workspace_id": case.workspace_id}
    for name, value in case.filters.items():
        match value:
            case int():
                filters[name] = today - timedelta(days=value)
            case list():
                filters[name] = [values.get(one, one) for one in value]
            case _:
                filters[name] = value
    return Filters(**filters)


def address_of(case: Case, filters: Filters) -> str:
    """The address of the report page that asks for them."""
    pairs: list[tuple[str, Any]] = [("workspace", filters.workspace_id)]
    if case.date_range:
        pairs.append(("date_range", case.date_range))
    if "start_date" in case.filters:
        pairs += [("from", filters.start_date), ("to", filters.end_date)]
    if case.frequency:
        pairs.append(("frequency", case.frequency))
    for name, parameter in PARAMETERS.items():
        pairs += [(parameter, value) for value in getattr(filters, name) or ()]
    if filters.contact_name:
        pairs.append(("contact_name", filters.contact_name))
    return "/?" + urlencode(pairs)


@pytest.mark.parametrize("name", CASES)
def test_each_component_shows_what_is_reckoned_under_the_filters(
    visitor: Visitor, published: Sample, name: str
) -> None:
    filters, reports = filters_of(CASES[name], published), published.reports
    frequency = CASES[name].frequency or "day"
    page = visitor.open(address_of(CASES[name], filters))
    states = {row["component"]: row["state"] for row in reports.component_states(filters)}
    assert {component: state(page, component) for component in states} == states
    assert "ok" in states.values()

    for event_type in ("added", "deleted", "merged"):
        if states[f"overview_{event_type}"] == "ok":
            count = len(reports.log_between(event_type, filters))
            assert big_number(page, f"overview_{event_type}") == count
    if states["overview_bar_chart"] == "ok":
        _, *rows = table(page, "overview_bar_chart")
        reckoned = sorted(reports.overview_between(filters, frequency), key=lambda row: row["period_start"])
        assert [[number_in(cell) for cell in row[1:]] for row in rows] == [
            [row[f"contacts_{event_type}"] for event_type in ("added", "deleted", "merged")] for row in reckoned
        ]
    for block, label, breakdown in (
        ("added", "source_label", reports.added_between),
        ("connected", "channel_name", reports.connected_between),
    ):
        if states[f"{block}_metric"] != "ok":
            continue
        in_total = {row[label]: row[f"contacts_{block}"] for row in breakdown(filters, "total")}
        assert listed(page, f"{block}_metric") == in_total
        assert big_number(page, f"{block}_metric") == sum(in_total.values())
        columns, *rows = table(page, f"{block}_bar_chart")
        shown = {column: sum(number_in(row[index]) for row in rows) for index, column in enumerate(columns) if index}
        others = shown.pop("Remaining", 0)
        assert shown.items() <= in_total.items()
        assert sum(shown.values()) + others == sum(in_total.values())
    for event_type in EVENT_TYPES:
        if states[f"{event_type}_log"] == "ok":
            assert total_of_log(page, f"{event_type}_log") == len(reports.log_between(event_type, filters))


def test_each_number_leads_to_as_many_rows(visitor: Visitor, published: Sample) -> None:
    page = visitor.open("/?workspace=aurora&date_range=last_14_days")
    marks = page.evaluate(
        """() => [...document.querySelectorAll("main a[href^='/logs/']")].map(link => {
            const text = link.querySelector("title")?.textContent
                ?? link.closest("li")?.innerText ?? link.closest("tr")?.innerText ?? link.innerText;
            return [link.getAttribute("href"), text];
        })"""
    )
    counted = {}
    for href, text in marks:
        numbers = re.findall(r"(?<![0-9A-Za-z])[0-9][0-9,]*(?![0-9A-Za-z.])", text.split(": ")[-1])
        if numbers:
            counted[href] = int(numbers[0].replace(",", ""))
    assert len(counted) > 100
    with httpx.Client(base_url=visitor.address) as client:
        for href in list(counted)[:: max(1, len(counted) // 60)]:
            answer = client.get(href)
            assert answer.status_code == 200, href
            found = re.search(r"[0-9,]+–[0-9,]+ of ([0-9,]+)", answer.text)
            assert found and int(found[1].replace(",", "")) == counted[href], (href, counted[href])


def test_a_click_on_a_number_opens_its_log_under_the_same_filters(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=lumiere&date_range=last_30_days&source=user")
    count = big_number(page, "overview_deleted")
    page.locator("#overview_deleted .big a").click()
    assert urlsplit(page.url).path == "/logs/deleted"
    assert dict(parse_qsl(urlsplit(page.url).query))["source"] == "user"
    assert f"of {count:,}" in page.locator(".pagination").first.inner_text()


def test_a_row_of_a_log_opens_to_its_story(visitor: Visitor, published: Sample) -> None:
    page = visitor.open("/logs/added?workspace=aurora")
    name = page.locator("table.log tbody tr").first.locator("td").nth(2).inner_text()
    page.locator("table.log tbody tr a").first.click()
    assert name in page.locator("h1").inner_text()
    details = page.locator("dl").all_inner_texts()[1].split("\n")
    file, line = details[1].strip(), int(details[3])
    landed = (published.landing / file).read_text(encoding="utf-8").splitlines()[line - 1]
    assert page.locator("article pre code").first.inner_text() == landed
    assert page.locator("tr.current").count() == 1


def test_a_superseded_record_is_shown_with_the_event_that_took_its_place(visitor: Visitor, published: Sample) -> None:
    one = published.rows(
        """
        select workspace_id, event_type, superseded_by, count(*) as number
        from quality.superseded_events
        where superseded_by is not null and reason = 'same_event' and workspace_id = 'bergwerk'
        group by all order by number desc limit 1"""
    )[0]
    url = httpx.URL(f"/events/{one['event_type']}", params={"workspace": "bergwerk", "event": one["superseded_by"]})
    page = visitor.open(str(url))
    assert page.get_by_text("the same event, sent again").count() == min(one["number"], 100)


def test_the_form_sets_every_filter_and_the_address_stays_short(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.locator("#from").fill("2026-11-01")
    page.locator("#to").fill("2026-11-20")
    page.locator("#frequency").select_option("week")
    page.locator("#compared_with").select_option("month")
    page.locator("#contact").fill("ana")
    page.locator("details.choices summary").nth(2).click()
    page.get_by_label("Zapier").check()
    page.locator("details[open]").get_by_role("button", name="Apply").click()
    query = parse_qsl(urlsplit(page.url).query)
    assert query == [
        ("from", "2026-11-01"),
        ("to", "2026-11-20"),
        ("frequency", "week"),
        ("source", "zapier"),
        ("contact_name", "ana"),
        ("compared_with", "month"),
    ]
    page.get_by_role("link", name="Remove filter Source: Zapier").click()
    assert "source" not in page.url
    page.locator("#contact").fill("953950029, 953950027")
    page.get_by_role("button", name="Apply").click()
    assert [value for name, value in parse_qsl(urlsplit(page.url).query) if name.startswith("contact")] == [
        "953950029",
        "953950027",
    ]
    page.get_by_role("link", name="Clear all").click()
    assert urlsplit(page.url).query == ""


def test_a_deleted_channel_is_counted_and_not_offered(visitor: Visitor, published: Sample) -> None:
    deleted = published.rows("select workspace_id, channel_id from reports.channels where is_deleted limit 1")[0]
    page = visitor.open(f"/?workspace={deleted['workspace_id']}")
    offered = page.locator("input[name=channel]").evaluate_all("inputs => inputs.map(input => input.value)")
    known = published.rows(
        "select channel_id from reports.channels where workspace_id = ? and not is_deleted", [deleted["workspace_id"]]
    )
    assert deleted["channel_id"] not in offered
    assert {row["channel_id"] for row in known} <= set(offered)
    assert "Deleted channels are counted but not offered: " in (
        page.locator("details.choices").first.text_content() or ""
    )


def test_data_that_begins_later_and_a_filter_that_cannot_apply_are_two_states(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=aurora&from=2020-01-01&to=2020-01-31")
    assert state(page, "overview_added") == "no_data"
    assert "Data begins on " in page.locator("#overview_added .state").inner_text()
    page = visitor.open("/?workspace=aurora&channel=unknown")
    assert state(page, "added_donut") == "not_applicable"
    assert "Only connected contacts have a channel" in page.locator("#added_donut .state").inner_text()


def test_the_page_speaks_french(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=lumiere")
    page.get_by_role("link", name="Français").click()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("h2").all_inner_texts()[:3] == ["Aperçu des contacts", "Contacts ajoutés", "Contacts connectés"]
    page.locator("#added_log .more a").click()
    assert page.locator("h1").inner_text() == "Journal des contacts ajoutés"
    assert "Horodatage" in page.locator("table.log thead").inner_text()


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
    for path in (*PAGES, story):
        page = visitor.open(path)
        for details in page.locator("main .tools details").all()[:4]:
            details.evaluate("details => details.open = true")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{path} is {width} pixels too wide"
    assert visitor.complaints == []
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


def test_the_page_as_one_file_needs_nothing_else(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open("/?workspace=lumiere&date_range=last_30_days&lang=fr")
    count = page.locator("#overview_added .big").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Cette page en un fichier").click()
    saved = tmp_path / "report.html"
    download.value.save_as(saved)
    requests: list[str] = []
    alone = visitor.page.context.new_page()
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto(saved.as_uri())
    assert alone.locator("#overview_added .big").inner_text() == count
    assert requests == [saved.as_uri()]
    assert alone.locator("main a").count() == 0


def test_the_sql_of_a_component_gives_its_numbers(visitor: Visitor, published: Sample) -> None:
    page = visitor.open("/?workspace=aurora&date_range=last_30_days&source=user&source=zapier")
    for component, column in (("added_metric", "contacts_added"), ("connected_metric", "contacts_connected")):
        rows = published.rows(page.locator(f"#{component} .tools pre").text_content() or "")
        assert sum(row[column] for row in rows) == big_number(page, component)


def test_the_state_of_the_data_leads_to_its_rows(visitor: Visitor, published: Sample) -> None:
    [rejected] = published.rows("select count(*) as n from quality.rejected_records where workspace_id = 'aurora'")
    page = visitor.open("/?workspace=aurora")
    page.get_by_role("link", name=f"Rejected records: {rejected['n']}").click()
    assert f"of {rejected['n']}" in page.locator(".pagination").first.inner_text()
