"""The report page as people meet it: a process of its own that serves the published sample, and a browser."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.harness import Pipeline
from tests.integration.page.serving import running
from tests.integration.page.visiting import DESKTOP, Sample, Visitor
from tests.report_reckoning import EVENT_TYPES, Reports

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def address(sample: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the report page on the sample."""
    with running(tmp_path_factory.mktemp("page"), data=sample.settings.data) as page:
        yield page.url


# Playwright's event loop runs as long as it is open. Tests of other modules have loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser. Tests that need one are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("The tests of the report page in a browser need Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Root may not use the sandbox, and CI is root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def published(sample: Pipeline) -> Sample:
    path = sample.settings.published
    without_logs = Sample(path, Path(sample.settings.landing_url), Reports({}), {})
    logs = {event_type: without_logs.rows(f"from reports.contacts_{event_type}_log") for event_type in EVENT_TYPES}
    today = without_logs.rows("select workspace_id, end_date from reports.date_ranges where date_range = 'today'")
    return replace(without_logs, reports=Reports(logs), today={row["workspace_id"]: row["end_date"] for row in today})


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
