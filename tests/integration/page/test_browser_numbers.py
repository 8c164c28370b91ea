"""What people see in a browser is what an independent reckoning says; a number leads to its records."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from tests.integration.page.visiting import (
    Sample,
    Visitor,
    big_number,
    listed,
    number_in,
    state,
    table,
    total_of_log,
)
from tests.report_reckoning import EVENT_TYPES, METRICS, Filters, date_ranges

pytestmark = pytest.mark.slow


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
        if states[f"{block}_bar_chart"] != "ok":  # A metric shows zero; a chart has nothing to draw.
            assert not sum(in_total.values())
            continue
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


def test_a_number_that_is_zero_within_the_data_is_zero(visitor: Visitor, published: Sample) -> None:
    [begins] = published.rows(
        "select min(report_date) as day from reports.contacts_overview where workspace_id = 'aurora'"
    )
    day = begins["day"]
    unknown_name = "&contact_name=unknown-name"
    for first, last in ((day, day), (day - timedelta(days=9), day)):
        page = visitor.open(f"/?workspace=aurora&from={first}&to={last}{unknown_name}")
        for component in METRICS:
            assert state(page, component) == "ok"
            assert page.locator(f"#{component} .big").inner_text().startswith("0")
            assert page.locator(f"#{component} .big a").count() == 0
        assert state(page, "added_donut") == state(page, "added_log") == "no_data"
    page = visitor.open(f"/?workspace=aurora&from={day - timedelta(days=9)}&to={day - timedelta(days=1)}")
    for component in (*METRICS, "added_donut", "net_growth"):
        assert state(page, component) == "no_data"
        assert "Data begins on" in page.locator(f"#{component} .state").inner_text()


def test_data_that_begins_later_and_a_filter_that_cannot_apply_are_two_states(visitor: Visitor) -> None:
    page = visitor.open("/?workspace=aurora&from=2020-01-01&to=2020-01-31")
    assert state(page, "overview_added") == "no_data"
    assert "Data begins on " in page.locator("#overview_added .state").inner_text()
    page = visitor.open("/?workspace=aurora&channel=unknown")
    assert state(page, "added_donut") == "not_applicable"
    assert "Only connected contacts have a channel" in page.locator("#added_donut .state").inner_text()


def test_the_page_as_one_file_needs_nothing_else(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open("/?workspace=lumiere&date_range=last_30_days&lang=fr")
    count = page.locator("#overview_added .big").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Cette page en un seul fichier").click()
    saved = tmp_path / "report.html"
    download.value.save_as(saved)
    requests: list[str] = []
    alone = visitor.page.context.new_page()
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto(saved.as_uri())
    assert alone.locator("#overview_added .big").inner_text() == count
    assert requests == [saved.as_uri()]
    assert alone.locator("main a").count() == 0
