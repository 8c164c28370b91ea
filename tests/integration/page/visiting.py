"""A person with a browser, and what the person reads on the report page."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from playwright.sync_api import BrowserContext, Page, ViewportSize

from tests.report_reckoning import Reports, Row

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
